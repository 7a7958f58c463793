"""An expression flattened into its operations, in the order in which they are computed.

The whole text is written once. Between two operations the reader of that text passes some of it: a *gap*, in which
names are already replaced by their values. What a step shows is then

    the text so far, reduced  +  the gap  +  what nobody has read yet

so that `netlab.calc.steps` splices each step from one text, and no tree is ever rebuilt or printed again.
Brackets follow the deployed server: one pair around every binary operation, none around the whole, and none where
the brackets of a sign or of a call with one argument stand already (protocols.md §1).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from attrs import frozen

from netlab.calc.budget import Budget, Meter
from netlab.calc.expression import (
    BinaryExpression,
    Constant,
    Expression,
    FunctionCall,
    NamedConstant,
    Number,
    UnaryExpression,
)
from netlab.calc.functions import OPERATORS, SIGNS, BinaryOperator, Function, UnaryOperator
from netlab.calc.numbers import number_text

Operator = BinaryOperator | UnaryOperator | Function


class Operation(NamedTuple):
    """One reduction (a tuple, because a request makes dozens and a frozen class takes four times as long to make).

    ``gap`` is the text from the end of the operation before to the end of this one; ``opens`` the offsets in it at
    which operations begin, outermost first; ``constants`` the numbers in it. The operation takes the last ``arity``
    numbers, and what follows it in the whole text begins at ``tail``. ``bare`` says that brackets stand around
    its result already.
    """

    gap: str
    opens: tuple[int, ...]
    constants: tuple[Number, ...]
    what: Operator
    arity: int
    tail: int
    bare: bool


@frozen(eq=False, repr=False)
class Program:
    """Operations in order, the whole text they stand in, and the numbers that come after the last of them.

    An expression of a single number has no operation and that one number in ``rest``; any other has none there.
    """

    operations: list[Operation]
    text: str
    rest: tuple[Number, ...]

    @property
    def repeatable(self) -> bool:
        """Whether every evaluation gives the same result: whether nothing in it is random."""
        return all(operation.what.apply is not None for operation in self.operations)


def flatten(expression: Expression, meter: Meter) -> Program:
    """Flatten an expression of any shape, without recursion.

    :raises BudgetExceeded: more nodes, depth or bits than the budget has. A part that is shared counts each time.
    """
    return _splice(_write_out(expression, meter.budget), meter)


class _End(NamedTuple):
    """The end of an operation in the written-out expression."""

    what: Operator
    arity: int
    bracket: str
    bare: bool


#: The beginning of an operation in the written-out expression.
_BEGIN = object()

_BINARY_END = {what: (_End(what, 2, ")", False), _End(what, 2, "", True)) for what in OPERATORS}
_SIGN_END = {what: (_End(what, 1, ")", False), _End(what, 1, ")", True)) for what in SIGNS}
_SPACED = {what: f" {what.symbol} " for what in OPERATORS}


def _write_out(expression: Expression, budget: Budget) -> list[Any]:
    """The expression from left to right: texts, constants, and the beginnings and ends of operations.

    On ``todo`` a tuple of one node is that node where brackets stand already.
    """
    written: list[Any] = []
    todo: list[Any] = [(expression,)]
    nodes = depth = 0
    while todo:
        item = todo.pop()
        bare = type(item) is tuple
        if bare:
            item = item[0]
        kind = type(item)
        if kind is str or kind is _End:
            written.append(item)
            depth -= kind is _End
            continue
        nodes += 1
        if kind is Constant or kind is NamedConstant:
            written.append(item)
        else:
            depth += 1
            _BEGINNINGS[kind](item, bare, written, todo)
        if nodes > budget.max_nodes or depth > budget.max_depth:
            budget.check_nodes(nodes)
            budget.check_depth(depth)
    return written


def _begin_binary(node: BinaryExpression, bare: bool, written: list[Any], todo: list[Any]) -> None:
    what = node.operator
    written.append(_BEGIN)
    if not bare:
        written.append("(")
    todo += (_BINARY_END[what][bare], node.right, _SPACED[what], node.left)


def _begin_sign(node: UnaryExpression, bare: bool, written: list[Any], todo: list[Any]) -> None:
    written += (_BEGIN, node.operator.symbol + "(")
    todo += (_SIGN_END[node.operator][bare], (node.operand,))


def _begin_call(node: FunctionCall, bare: bool, written: list[Any], todo: list[Any]) -> None:
    arguments = node.arguments
    written += (_BEGIN, node.function.name + "(")
    todo.append(_End(node.function, len(arguments), ")", bare))
    if len(arguments) == 1:
        todo.append(arguments)
        return
    for argument in reversed(arguments):
        todo += (argument, ", ")
    if arguments:
        todo.pop()


_BEGINNINGS: dict[type, Callable[[Any, bool, list[Any], list[Any]], None]] = {
    UnaryExpression: _begin_sign,
    BinaryExpression: _begin_binary,
    FunctionCall: _begin_call,
}


def _splice(written: list[Any], meter: Meter) -> Program:
    """Cut what was written out into gaps, an operation at the end of each."""
    operations: list[Operation] = []
    gap = whole = ""
    opens: list[int] = []
    constants: list[Number] = []
    for item in written:
        kind = type(item)
        if kind is str:
            gap += item
            whole += item
        elif item is _BEGIN:
            opens.append(len(gap))
        elif kind is _End:
            what, arity, bracket, bare = item
            whole += bracket
            operations.append(Operation(gap + bracket, tuple(opens), tuple(constants), what, arity, len(whole), bare))
            gap = ""
            opens.clear()
            constants.clear()
        else:
            value = item.value
            if type(value) is int:
                meter.budget.check_bits(value.bit_length())
            text = number_text(value, meter)
            gap += text
            whole += text if kind is Constant else item.name
            constants.append(value)
    return Program(operations, whole, tuple(constants))
