"""How the watchdog's numbers begin (protocols.md §4)."""

#: The numbers that mean something, and the bytes that each has, little-endian.
START, RESET = 300, 256
SIZE = 4


def begins_with_numbers(data: bytes | bytearray) -> bool:
    """Whether ``data`` begins with `START` or `RESET` as a little-endian number, and goes on with small numbers."""
    numbers = [int.from_bytes(data[place : place + SIZE], "little") for place in range(0, len(data) - SIZE + 1, SIZE)]
    return bool(numbers) and numbers[0] in (START, RESET) and all(number < 0x10000 for number in numbers)
