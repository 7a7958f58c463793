"""Responses in pickle, read as strictly as requests are: a server can be hostile too (protocols.md §1 Bodies)."""

from typing import Any

from netlab.calc.codecs.pickle_machine import run
from netlab.calc.codecs.pickle_objects import Symbol, refused
from netlab.calc.expression import Number
from netlab.calc.header import MAX_BODY
from netlab.calc.messages import ERROR_MODULES, Answer, Failure, Success

#: A body of 65,523 bytes has at most this many opcodes, and the machine does nothing but push and pop for each.
_MAX_OPCODES = 65_536

#: How many errors may be each other's cause, and how many arguments an error may have.
_MAX_CAUSES = 8
_MAX_ARGUMENTS = 8

#: An integer in an error is an error number; one of thousands of digits could not even be shown.
_MAX_ARGUMENT_BITS = 64


def read_answer(body: bytes) -> Answer:
    """The answer in a response body.

    :raises PickleRefused: it is neither ``(result, steps)`` nor an error of `ERROR_MODULES`, or its texts are longer
        than a body: then it holds one and refers to it again and again, and to print it would cost gigabytes.
    """
    result = run(body, _SYMBOLS, _MAX_OPCODES, max_objects=0)
    if isinstance(result, Failure):
        if len(result.message) > MAX_BODY:
            raise refused("the texts of the error are longer than a body")
        return result
    if type(result) is not tuple or len(result) != 2 or type(result[1]) is not list:
        raise refused("it is neither a result with its steps nor an error")
    number, steps = result
    if any(type(step) is not str for step in steps):
        raise refused("a step is no string")
    if sum(map(len, steps)) > MAX_BODY:
        raise refused("the steps are longer than a body")
    return Success(_number(number), tuple(steps))


def _number(value: Any) -> Number:
    if type(value) not in (int, float, complex):
        raise refused("the result is no number")
    number: Number = value
    return number


def _failure(kind: str, arguments: tuple[Any, ...]) -> Failure:
    if len(arguments) > _MAX_ARGUMENTS or any(type(item) not in (str, int, Failure) for item in arguments):
        raise refused("an error carries something other than texts, integers and causes")
    if any(type(item) is int and item.bit_length() > _MAX_ARGUMENT_BITS for item in arguments):
        raise refused("an error carries an integer that is no error number")
    if any(_causes(item) >= _MAX_CAUSES for item in arguments):
        raise refused("an error has too many causes")
    if sum(type(item) is Failure for item in arguments) > 1:
        raise refused("an error has more than one cause")
    return Failure(kind, arguments)


def _causes(item: Any) -> int:
    """How long a chain of causes is; it never branches, so this takes no longer than the chain."""
    length = 0
    while type(item) is Failure:
        item = next((cause for cause in item.arguments if type(cause) is Failure), None)
        length += 1
    return length


def _complex(arguments: tuple[Any, ...]) -> complex:
    if len(arguments) != 2 or any(type(part) is not float for part in arguments):
        raise refused("a complex number is not made of two floats")
    return complex(*arguments)


def _error_symbol(kind: str) -> Symbol:
    return Symbol(kind, call=lambda arguments: _failure(kind, arguments))


_ERRORS = {(module, kind): _error_symbol(kind) for kind, module in ERROR_MODULES.items()}

_SYMBOLS = {
    **_ERRORS,
    #: Protocol 2 calls the built-in module by its Python 2 name.
    **{("exceptions", kind): symbol for (module, kind), symbol in _ERRORS.items() if module == "builtins"},
    **{(module, "complex"): Symbol("complex", call=_complex) for module in ("builtins", "__builtin__")},
}
