"""Infix text to an expression, by operator precedence, with a stack instead of recursion.

The grammar is Python's for these operators: ``**`` is right associative and binds tighter than a sign on its left,
signs bind tighter than ``*``. Names of constants are read in any case, names of functions in lower case.
"""

from netlab.calc.budget import Budget
from netlab.calc.errors import SyntaxRefused
from netlab.calc.expression import (
    BinaryExpression,
    Constant,
    Expression,
    FunctionCall,
    NamedConstant,
    UnaryExpression,
)
from netlab.calc.functions import (
    CONSTANTS,
    FUNCTIONS,
    OPERATORS,
    SIGN_PRECEDENCE,
    SIGNS,
    BinaryOperator,
    Function,
    UnaryOperator,
)
from netlab.calc.numbers import integer_of
from netlab.calc.tokens import CALL, END, NAME, NUMBER, Token, refuse, tokens

_OPERATORS = {what.symbol: what for what in OPERATORS}
_SIGNS = {what.symbol: what for what in SIGNS}
_FUNCTIONS = {what.name: what for what in FUNCTIONS}
_PUNCTUATION = ("(", ")", ",", "")
_NAMES = ", ".join([*_FUNCTIONS, *CONSTANTS])

#: log2(10), rounded down: how many bits a decimal digit says at least.
_BITS_PER_DIGIT = 3.3219


class _Bracket:
    """An open bracket: of a call of ``function``, or of a group. ``operands`` are those that stood before it."""

    __slots__ = ("function", "operands", "start")

    def __init__(self, function: Function | None, operands: int, start: int) -> None:
        self.function = function
        self.operands = operands
        self.start = start


def parse(text: str, budget: Budget | None = None) -> Expression:
    """Read an expression.

    :raises SyntaxRefused: the text is none; the error has the column and two lines that show it.
    :raises BudgetExceeded: it has more nodes, depth or digits than ``budget`` allows.
    """
    return _Parser(text, budget or Budget()).run()


class _Parser:
    """The operands read so far, and the signs, operators and brackets that wait for their last operand."""

    def __init__(self, text: str, budget: Budget) -> None:
        self._text = text
        self._budget = budget
        self._operands: list[Expression] = []
        self._waiting: list[BinaryOperator | UnaryOperator | _Bracket] = []
        self._called: Function | None = None

    def run(self) -> Expression:
        """Read every token where an operand may begin, or where one has ended, as the token before left it."""
        budget = self._budget
        ended = False
        nodes = 0
        for token in tokens(self._text):
            nodes += token[1] not in _PUNCTUATION
            if nodes > budget.max_nodes or len(self._waiting) > budget.max_depth:
                budget.check_nodes(nodes)
                budget.check_depth(len(self._waiting))
            ended = self._after_operand(token) if ended else self._before_operand(token)
        return self._operands[0]

    def _before_operand(self, token: Token) -> bool:
        """Read a token where an operand may begin; whether it ended one."""
        kind, text, start = token
        if kind == NUMBER:
            self._operands.append(Constant(self._number(text)))
            return True
        if kind == CALL:
            self._called = self._function(text, start)
        elif kind == NAME:
            self._operands.append(self._constant(text, start))
            return True
        elif text in _SIGNS:
            self._waiting.append(_SIGNS[text])
        elif text == "(":
            self._waiting.append(_Bracket(self._called, len(self._operands), start))
            self._called = None
        elif text == ")" and self._in_empty_call():
            self._close(start)
            return True
        else:
            found = f"found {text!r}" if text else "the text ends"
            raise self._refuse(f"a number, a name or an opening bracket belongs here, but {found}", start)
        return False

    def _after_operand(self, token: Token) -> bool:
        """Read a token after an operand; whether an operand has still just ended."""
        kind, text, start = token
        if text in _OPERATORS:
            what = _OPERATORS[text]
            self._apply(what.precedence + what.right_associative)
            self._waiting.append(what)
        elif text == ")":
            self._close(start)
            return True
        elif text == ",":
            self._apply(0)
            bracket = self._bracket()
            if bracket is None or bracket.function is None:
                raise self._refuse("a comma belongs only between the arguments of a function", start)
        elif kind == END:
            self._apply(0)
            bracket = self._bracket()
            if bracket is not None:
                raise self._refuse("this bracket is never closed", bracket.start)
        else:
            raise self._refuse(f"an operator is missing before {_short(text)}", start)
        return False

    def _apply(self, precedence: int) -> None:
        """Give every sign and operator that binds at least as tight as ``precedence`` its operands."""
        waiting, operands = self._waiting, self._operands
        while waiting:
            what = waiting[-1]
            if isinstance(what, UnaryOperator):
                if precedence > SIGN_PRECEDENCE:
                    return
                operands.append(UnaryExpression(what, operands.pop()))
            elif isinstance(what, BinaryOperator):
                if precedence > what.precedence:
                    return
                right = operands.pop()
                operands.append(BinaryExpression(operands.pop(), what, right))
            else:
                return
            waiting.pop()

    def _close(self, start: int) -> None:
        """A closing bracket: the operands since its opening one are a group or the arguments of a call."""
        self._apply(0)
        bracket = self._bracket()
        if bracket is None:
            raise self._refuse("this bracket was never opened", start)
        self._waiting.pop()
        if bracket.function is not None:
            arguments = tuple(self._operands[bracket.operands :])
            self._operands[bracket.operands :] = (FunctionCall(bracket.function, arguments),)

    def _bracket(self) -> _Bracket | None:
        """The innermost open bracket, when nothing else waits inside it."""
        last = self._waiting[-1] if self._waiting else None
        return last if isinstance(last, _Bracket) else None

    def _in_empty_call(self) -> bool:
        bracket = self._bracket()
        return bracket is not None and bracket.function is not None and bracket.operands == len(self._operands)

    def _number(self, text: str) -> int | float:
        if not text.isdigit():
            return float(text)
        self._budget.check_bits(int((len(text.lstrip("0")) - 1) * _BITS_PER_DIGIT))
        return integer_of(text)

    def _function(self, name: str, start: int) -> Function:
        if name in _FUNCTIONS:
            return _FUNCTIONS[name]
        if name.upper() in CONSTANTS:
            raise self._refuse(f"{_short(name)} is a constant and cannot be called", start)
        raise self._refuse(f"{_short(name)} is unknown; the names are {_NAMES}", start)

    def _constant(self, name: str, start: int) -> NamedConstant:
        value = CONSTANTS.get(name.upper())
        if value is not None:
            return NamedConstant(name.upper(), value)
        if name in _FUNCTIONS:
            raise self._refuse(f"{name} is a function and is called with brackets, as in max(2, 3)", start)
        raise self._refuse(f"{_short(name)} is unknown; the names are {_NAMES}", start)

    def _refuse(self, reason: str, start: int) -> SyntaxRefused:
        return refuse(reason, self._text, start)


def _short(text: str) -> str:
    return repr(text if len(text) <= 20 else text[:20] + "…")
