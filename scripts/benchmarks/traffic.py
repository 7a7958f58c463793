"""The requests whose rate is measured: the 687-byte one that was recorded, and a thousand others of its size."""

import json
import random
import socket
from pathlib import Path

from attrs import frozen

from benchmarks.worst_cases import request
from netlab.calc.calculator import Calculator
from netlab.calc.codecs.pickle_answers import read_answer
from netlab.calc.codecs.pickle_write import write_expression
from netlab.calc.header import HEADER_LENGTH
from netlab.calc.messages import Success
from netlab.calc.parser import parse

_VECTORS = Path(__file__).parents[2] / "tests" / "data" / "calc_vectors.json"

#: Requests and steps within these bounds are of the recorded one's size: 687 bytes, 10 texts.
_BYTES = range(620, 755)
_STEPS = range(7, 12)

_KEY_LENGTH, _VALUE_LENGTH = 675, 564
_STAMP = 4


@frozen
class Traffic:
    """Files of requests, for the load generator, and words on the different ones."""

    same: Path
    different: Path
    redis: Path
    redis_answer: int
    words: str


def write_traffic(folder: Path, count: int) -> Traffic:
    """Write the files, ``count`` different requests among them."""
    packets = different_requests(count)
    key = b"k" * _KEY_LENGTH
    get = b"*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n" % (len(key), key)
    paths = [folder / name for name in ("same", "different", "redis")]
    for path, content in zip(paths, (recorded()[0], b"".join(packets), get), strict=True):
        path.write_bytes(content)
    sizes = sorted(map(len, packets))
    words = f"{len(set(packets)):,} different requests of {sizes[0]} to {sizes[-1]} bytes, median {sizes[count // 2]}"
    return Traffic(*paths, len(b"$%d\r\n\r\n" % _VALUE_LENGTH) + _VALUE_LENGTH, words)


def recorded() -> tuple[bytes, bytes]:
    """The 687-byte request as a deployed client sent it, and the body of the answer it got."""
    vector = json.loads(_VECTORS.read_text())[0]
    return bytes.fromhex(vector["request"]), bytes.fromhex(vector["body"])


def different_requests(count: int) -> list[bytes]:
    """Requests for random expressions of the recorded one's size, every shape another."""
    source = random.Random(2)
    judge = Calculator(source.uniform)
    packets: dict[bytes, None] = {}
    for _ in range(100 * count):
        packet = request(write_expression(parse(_text(source, 4))))
        if len(packet) in _BYTES:
            answer = read_answer(judge.reply(packet).tail[HEADER_LENGTH - _STAMP :])
            if isinstance(answer, Success) and len(answer.steps) in _STEPS:
                packets[packet] = None
        if len(packets) == count:
            return list(packets)
    raise RuntimeError(f"only {len(packets)} of {count} requests came out right")


def _text(source: random.Random, depth: int) -> str:
    """An expression with operators, calls and constants."""
    kind = source.random()
    if depth == 0 or kind < 0.08:
        return source.choice(("PI", "E", f"{source.random() * 9:.3f}", *(str(source.randint(2, 99)) for _ in range(9))))
    if kind < 0.22:
        arguments = [_text(source, depth - 1) for _ in range(source.randint(2, 3))]
        return f"{source.choice(('max', 'min'))}({', '.join(arguments)})"
    if kind < 0.32:
        return f"{source.choice(('sin', 'cos'))}({_text(source, depth - 1)})"
    left, right = _text(source, depth - 1), _text(source, depth - 1)
    return f"({left} {source.choice('+-*/')} {right})"


def check_answer(port: int) -> None:
    """Ask the daemon the recorded question.

    :raises RuntimeError: the body of the answer is another than the deployed server's.
    """
    question, expected = recorded()
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(question)
        answer = b""
        while len(answer) < HEADER_LENGTH + len(expected) and (data := connection.recv(65_536)):
            answer += data
    if answer[HEADER_LENGTH:] != expected:
        raise RuntimeError("the daemon's answer to the recorded request is not the recorded answer")


#: memcached takes keys of up to 250 bytes: the request to it is shorter than ours, in its favour.
_MEMCACHED_KEY = b"k" * 250


def write_memcached(folder: Path) -> tuple[Path, int]:
    """A file with the request for the value in memcached, and how many bytes its answer has."""
    path = folder / "memcached"
    path.write_bytes(b"get %s\r\n" % _MEMCACHED_KEY)
    return path, len(b"VALUE %s 0 %d\r\n\r\nEND\r\n" % (_MEMCACHED_KEY, _VALUE_LENGTH)) + _VALUE_LENGTH


def fill_memcached(port: int) -> None:
    """Give memcached the value that is asked for."""
    command = b"set %s 0 0 %d\r\n%s\r\n" % (_MEMCACHED_KEY, _VALUE_LENGTH, b"v" * _VALUE_LENGTH)
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(command)
        if connection.recv(100) != b"STORED\r\n":
            raise RuntimeError("memcached did not take the value")


def fill_redis(port: int) -> None:
    """Give the Redis server the value that is asked for."""
    key, value = b"k" * _KEY_LENGTH, b"v" * _VALUE_LENGTH
    command = b"*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n" % (len(key), key, len(value), value)
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(command)
        if connection.recv(100) != b"+OK\r\n":
            raise RuntimeError("redis-server did not take the value")
