#!/usr/bin/env python3
"""Draw the images of the sample site, always the same ones: ``python scripts/sample_site.py``.

Six PNG files under ``images/``, four PNG and two GIF files under ``drawings/``; nothing but the standard library. No
SVG among them: the lab's old server sends no media type, and browsers do not guess that one.
"""

import math
import random
import struct
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path

SITE = Path(__file__).resolve().parent.parent / "netlab" / "web" / "sample_site"
WIDTH, HEIGHT = 240, 160

Colour = tuple[int, int, int]
INK, PAPER, BLUE = (34, 34, 51), (251, 251, 248), (42, 111, 187)
RED, GREEN, GREY = (200, 69, 59), (61, 139, 87), (153, 153, 170)


# ---- PNG


def png(pixel: Callable[[int, int], Colour], width: int = WIDTH, height: int = HEIGHT) -> bytes:
    """A PNG file of three bytes a pixel."""
    rows = b"".join(b"\0" + bytes(value for x in range(width) for value in pixel(x, y)) for y in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def congestion(x: int, y: int) -> Colour:
    """The saw-tooth of a congestion window: it grows by one a round trip, and halves at a loss."""
    phase = x % 60 if x > 30 else 0
    window = 2 ** (x / 6) if x <= 30 else 32 + phase * 0.9
    level = HEIGHT - 10 - window * 1.5
    if abs(y - level) < 1.5:
        return (200, 69, 59)
    return (222, 232, 244) if y > level else (251, 251, 248)


def interference(x: int, y: int) -> Colour:
    """Two waves that meet."""
    waves = math.sin(math.hypot(x - 70, y - 80) / 4) + math.sin(math.hypot(x - 170, y - 80) / 4)
    light = int(127 + 60 * waves)
    return (light // 2, light, 200)


def mandelbrot(x: int, y: int) -> Colour:
    """How soon a point of the plane runs away."""
    point, value = complex((x - 165) / 75, (y - 80) / 70), 0j
    for steps in range(60):
        value = value * value + point
        if abs(value) > 2:
            return (steps * 4 % 256, steps * 9 % 256, 90 + steps * 2)
    return (20, 20, 40)


def packets(x: int, y: int) -> Colour:
    """Packets on their way, some lost."""
    lane, slot = y // 20, (x + 7 * (y // 20)) // 30
    inside = 3 < y % 20 < 17 and 4 < (x + 7 * lane) % 30 < 27
    if not inside:
        return (251, 251, 248)
    return (200, 69, 59) if (lane * 5 + slot * 3) % 11 == 0 else (42, 111 + 9 * lane, 187)


def windows(x: int, y: int) -> Colour:
    """Windows of different size, one within the other."""
    ring = max(abs(x - 120) * 2 // 3, abs(y - 80)) // 8
    return (230 - 18 * ring, 240 - 9 * ring, 250 - 6 * ring)


def noise() -> Callable[[int, int], Colour]:
    """Grey noise, the same every time: it does not compress, so its file is a large one."""
    source = random.Random(12)
    values = [source.randrange(256) for _ in range(WIDTH * HEIGHT * 2)]

    def pixel(x: int, y: int) -> Colour:
        return values[2 * (y * WIDTH + x)], values[2 * (y * WIDTH + x) + 1], 128

    return pixel


# ---- GIF


def gif(frames: Iterable[bytes], size: int, palette: Iterable[Colour], hundredths: int) -> bytes:
    """An endless GIF of square frames, a byte a pixel that is a place in the palette of 8 colours."""
    colours = b"".join(bytes(colour) for colour in palette)
    head = b"GIF89a" + struct.pack("<HHBBB", size, size, 0b1111_0010, 0, 0) + colours.ljust(24, b"\0")
    parts = [head, b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"]
    for frame in frames:
        parts.append(b"!\xf9\x04\x04" + struct.pack("<H", hundredths) + b"\0\0")
        parts.append(b"," + struct.pack("<HHHHB", 0, 0, size, size, 0) + b"\x03" + _blocks(_codes(frame)) + b"\0")
    return b"".join(parts) + b";"


def _codes(frame: bytes) -> bytes:
    """Codes of four bits: the table is cleared before it makes longer ones."""
    clear, end = 8, 9
    codes = []
    for start in range(0, len(frame), 6):
        codes += [clear, *frame[start : start + 6]]
    codes.append(end)
    codes += [0] * (len(codes) % 2)
    return bytes(low | high << 4 for low, high in zip(codes[::2], codes[1::2], strict=True))


def _blocks(data: bytes) -> bytes:
    pieces = (data[start : start + 255] for start in range(0, len(data), 255))
    return b"".join(bytes((len(piece),)) + piece for piece in pieces)


def ping_frames() -> Iterable[bytes]:
    """Rings that run outwards."""
    for step in range(6):
        yield bytes(int(math.hypot(x - 32, y - 32) / 3 - step) % 6 // 3 for y in range(64) for x in range(64))


def alarm_frames() -> Iterable[bytes]:
    """A clock's hand that goes round."""
    for step in range(8):
        turn = step * math.pi / 4
        yield bytes(_clock(x - 32, y - 32, turn) for y in range(64) for x in range(64))


def _clock(x: int, y: int, turn: float) -> int:
    distance = math.hypot(x, y)
    if 26 < distance < 30:
        return 1
    along, across = x * math.sin(turn) - y * math.cos(turn), x * math.cos(turn) + y * math.sin(turn)
    return 2 if 0 < along < 22 and abs(across) < 2 else 0


# ---- drawings


def ladder(*ways: str) -> Callable[[int, int], Colour]:
    """Segments between a client at the left and a server at the right, from the top down: ``>`` or ``<``."""
    step = 130 / len(ways)

    def pixel(x: int, y: int) -> Colour:
        if abs(x - 40) < 1 or abs(x - 200) < 1:
            return GREY
        for number, way in enumerate(ways):
            share = (x - 40) / 160 if way == ">" else (200 - x) / 160
            down = y - (20 + number * step + share * step * 0.7)
            if 0 <= share <= 1 and abs(down) < (5 if share > 0.95 else 1.3):
                return BLUE if way == ">" else GREEN
        return PAPER

    return pixel


def layers(x: int, y: int) -> Colour:
    """Who carries whom: each layer is wider than the one above."""
    layer = y // 40
    inside = 5 < y % 40 < 36 and abs(x - 120) < 60 + 15 * layer
    return (RED, BLUE, GREEN, GREY)[layer] if inside else PAPER


def sliding(x: int, y: int) -> Colour:
    """A window over a row of bytes: acknowledged, sent, to be sent, and those that must wait."""
    if (abs(y - 52) < 2 or abs(y - 108) < 2) and 79 < x < 176:
        return INK
    if not 60 < y < 100 or (x - 6) % 19 > 15 or not 6 <= x < 234:
        return PAPER
    place = (x - 6) // 19
    return GREEN if place < 4 else BLUE if place < 7 else RED if place < 9 else GREY


def main() -> None:
    """Write every image."""
    palette = [(251, 251, 248), (42, 111, 187), (200, 69, 59), *[(0, 0, 0)] * 5]
    functions = {function.__name__: function for function in (congestion, interference, mandelbrot, packets, windows)}
    files = {f"images/{name}.png": png(function) for name, function in functions.items()}
    files["images/noise.png"] = png(noise())
    files["drawings/ping.gif"] = gif(ping_frames(), 64, palette, 12)
    files["drawings/alarm.gif"] = gif(alarm_frames(), 64, palette, 25)
    files["drawings/handshake.png"] = png(ladder(">", "<", ">"))
    files["drawings/close.png"] = png(ladder(">", "<", "<", ">"))
    files["drawings/layers.png"] = png(layers)
    files["drawings/sliding.png"] = png(sliding)
    for name, content in files.items():
        path = SITE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


if __name__ == "__main__":
    main()
