"""Expressions as trees of immutable nodes.

Nodes compare by identity and have a `repr` of constant size: a tree that shares its parts can be exponentially
larger than what describes it, so nothing here walks one. Walks are in `netlab.calc.program`, and bounded.
"""

from attrs import frozen

from netlab.calc.functions import BinaryOperator, Function, UnaryOperator

#: The numbers of the protocol; results can be complex (``(-8) ** (1 / 3)``).
Number = int | float | complex


@frozen(eq=False, repr=False)
class Constant:
    """A number as it was written."""

    value: Number


@frozen(eq=False, repr=False)
class NamedConstant:
    """A number with a name (``PI``, ``TAU``, ``E``), shown by it until it is used."""

    name: str
    value: float


@frozen(eq=False, repr=False)
class UnaryExpression:
    """A sign before an operand."""

    operator: UnaryOperator
    operand: "Expression"


@frozen(eq=False, repr=False)
class BinaryExpression:
    """Two operands and the operator between them."""

    left: "Expression"
    operator: BinaryOperator
    right: "Expression"


@frozen(eq=False, repr=False)
class FunctionCall:
    """A function and what it is called with, any number of arguments."""

    function: Function
    arguments: "tuple[Expression, ...]"


Expression = Constant | NamedConstant | UnaryExpression | BinaryExpression | FunctionCall
