"""A machine for the part of pickle that calculator messages need; nothing else of pickle exists here.

A pickle is a program for a stack machine. This one knows the opcodes of `netlab.calc.codecs.pickle_opcodes` and
refuses all others. It imports nothing: a global is looked up in a table of `Symbol` objects, and what a symbol makes
of its arguments is our code, chosen by us.
"""

import struct
from collections.abc import Mapping
from typing import Any

from netlab.calc.codecs.pickle_objects import Machine, Symbol, refused
from netlab.calc.codecs.pickle_opcodes import ACTIONS

_STOP, _MEMOIZE, _BINGET = b".\x94h"
_PROTOCOLS = range(2, 6)


def run(body: bytes, symbols: Mapping[tuple[str, str], Symbol], max_opcodes: int, *, max_objects: int) -> Any:
    """Do what the pickle in ``body`` says; the one object that it leaves.

    :param symbols: the globals that it may name, by module and name.
    :param max_objects: instances that it may make by NEWOBJ.
    :raises PickleRefused: it is damaged, or asks for anything but plain message shapes.
    """
    if len(body) < 2 or body[0] != 0x80 or body[1] not in _PROTOCOLS:
        raise refused("it is not of protocol 2, 3, 4 or 5")
    machine = Machine(body, symbols, max_objects)
    try:
        place = _step(machine, max_opcodes)
    except (IndexError, struct.error):
        raise refused("it ends in the middle, or takes from an empty stack") from None
    except KeyError as index:
        raise refused(f"memo index {index} was never set") from None
    if place != len(body):
        raise refused(f"{len(body) - place} bytes follow its end")
    if machine.marks or len(machine.stack) != 1:
        raise refused("it leaves more or less than one object")
    return machine.stack[0]


def _step(machine: Machine, max_opcodes: int) -> int:
    """Go from opcode to opcode; the place after STOP. The two that are half of all are done here, without a call."""
    body, stack, memo = machine.body, machine.stack, machine.memo
    place = 2
    for _ in range(max_opcodes):
        opcode = body[place]
        place += 1
        if opcode == _MEMOIZE:
            memo[len(memo)] = stack[-1]
        elif opcode == _BINGET:
            stack.append(memo[body[place]])
            place += 1
        elif opcode == _STOP:
            return place
        else:
            place = ACTIONS[opcode](machine, place)
    raise refused(f"it has more than {max_opcodes:,} opcodes")
