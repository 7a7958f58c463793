"""Requests in pickle: the deployed clients' expression trees, as our nodes (protocols.md §1 Bodies)."""

from collections.abc import Callable
from operator import itemgetter
from typing import Any

from netlab.calc.budget import Budget
from netlab.calc.codecs.pickle_machine import run
from netlab.calc.codecs.pickle_objects import Instance, Symbol, refused
from netlab.calc.expression import (
    BinaryExpression,
    Constant,
    Expression,
    FunctionCall,
    NamedConstant,
    UnaryExpression,
)
from netlab.calc.functions import CONSTANTS, FUNCTIONS, OPERATORS, SIGNS

_UNIFORM = Symbol("Random().uniform")
_LEFT, _RIGHT = Symbol("Associativity.LEFT"), Symbol("Associativity.RIGHT")

#: The functions that operators and calls carry, by the name of the global.
_PYTHON = {what.python_name: Symbol(f"operator.{what.python_name}") for what in (*SIGNS, *OPERATORS)}
_CALLED = {what.name: Symbol(f"{what.module}.{what.name}") for what in FUNCTIONS if what.module}
_CALLED["rand"] = _UNIFORM

_BINARY_OPERATORS = {
    (what.symbol, _PYTHON[what.python_name], _RIGHT if what.right_associative else _LEFT): what for what in OPERATORS
}
_UNARY_OPERATORS = {(what.symbol, _PYTHON[what.python_name]): what for what in SIGNS}
_FUNCTIONS = {(what.name, _CALLED[what.name]): what for what in FUNCTIONS}


#: A node is an object; an operator or a function that no other node shares is a second one.
_OBJECTS_A_NODE = 2


class _Attributes:
    """The names that the state of one class has, and a quick way to its values."""

    __slots__ = ("_names", "_values")

    def __init__(self, *names: str) -> None:
        self._names = names
        self._values: Callable[[Any], Any] = itemgetter(*names)

    def of(self, state: Any) -> Any:
        """The values in the order of the names (the value itself for a single name), if ``state`` has exactly these."""
        if type(state) is dict and len(state) == len(self._names):
            try:
                return self._values(state)
            except KeyError:
                pass
        raise refused(f"an object has attributes other than {', '.join(self._names)}")


_CONSTANT = _Attributes("value")
_NAMED_CONSTANT = _Attributes("name", "value")
_UNARY = _Attributes("operator", "operand")
_BINARY = _Attributes("left_operand", "operator", "right_operand")
_CALL = _Attributes("function", "args")
_BINARY_OPERATOR = _Attributes("symbol", "function", "associativity")
_UNARY_OPERATOR = _Attributes("symbol", "function")
_FUNCTION = _Attributes("name", "function")


class ExpressionReader:
    """Reads request bodies within one budget; it keeps nothing from one body to the next."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._arguments = 0
        self._symbols = _FUNCTION_GLOBALS | {
            ("calculator", "Constant"): Symbol("Constant", new=lambda: Instance(self._constant)),
            ("calculator", "NamedConstant"): Symbol("NamedConstant", new=lambda: Instance(self._named_constant)),
            ("calculator", "UnaryExpr"): Symbol("UnaryExpr", new=lambda: Instance(self._unary)),
            ("calculator", "BinaryExpr"): Symbol("BinaryExpr", new=lambda: Instance(self._binary)),
            ("calculator", "FunctionCallExpr"): Symbol("FunctionCallExpr", new=lambda: Instance(self._call)),
        }

    def read(self, body: bytes) -> Expression:
        """The expression in ``body``, a request's.

        :raises PickleRefused: the body is anything else.
        :raises BudgetExceeded: it has more nodes, depth or bits than the budget allows; a part that is referred to
            again counts again.
        """
        self._arguments = 0
        budget = self._budget
        most = budget.max_nodes * _OBJECTS_A_NODE
        expression: Expression = _node(run(body, self._symbols, budget.max_opcodes, max_objects=most)).value
        return expression

    def _constant(self, instance: Instance, state: Any) -> None:
        value = _CONSTANT.of(state)
        if type(value) is int:
            self._budget.check_bits(value.bit_length())
        elif type(value) is not float:
            raise refused("a constant is no integer or float")
        instance.value = Constant(value)
        instance.size = 1

    def _named_constant(self, instance: Instance, state: Any) -> None:
        name, value = _NAMED_CONSTANT.of(state)
        if type(name) is not str or type(value) is not float or CONSTANTS.get(name) != value:
            raise refused("a named constant is none of PI, TAU and E with its value")
        instance.value = NamedConstant(name, value)
        instance.size = 1

    def _unary(self, instance: Instance, state: Any) -> None:
        operator, operand = _UNARY.of(state)
        operand = _node(operand)
        instance.value = UnaryExpression(_built(operator, _unary_operator), operand.value)
        self._measure(instance, operand.size + 1, operand.depth + 1)

    def _binary(self, instance: Instance, state: Any) -> None:
        left, operator, right = _BINARY.of(state)
        left, right = _node(left), _node(right)
        instance.value = BinaryExpression(left.value, _built(operator, _binary_operator), right.value)
        self._measure(instance, left.size + right.size + 1, max(left.depth, right.depth) + 1)

    def _call(self, instance: Instance, state: Any) -> None:
        function, arguments = _CALL.of(state)
        if type(arguments) is not list:
            raise refused("the arguments of a call are no list")
        # One list can be named by thousands of calls, none within another, and is walked for each of them.
        self._arguments += len(arguments)
        self._budget.check_nodes(self._arguments)
        nodes = [_node(argument) for argument in arguments]
        instance.value = FunctionCall(_built(function, _function), tuple([argument.value for argument in nodes]))
        size = sum([argument.size for argument in nodes]) + 1
        self._measure(instance, size, max([argument.depth for argument in nodes], default=0) + 1)

    def _measure(self, instance: Instance, size: int, depth: int) -> None:
        self._budget.check_nodes(size)
        self._budget.check_depth(depth)
        instance.size = size
        instance.depth = depth


def _binary_operator(instance: Instance, state: Any) -> None:
    symbol, function, associativity = _BINARY_OPERATOR.of(state)
    if type(symbol) is not str or type(function) is not Symbol or type(associativity) is not Symbol:
        raise refused("a binary operator is not of the protocol")
    instance.value = _BINARY_OPERATORS.get((symbol, function, associativity))
    if instance.value is None:
        raise refused(f"no binary operator {symbol[:10]!a} computes {function} with {associativity}")


def _unary_operator(instance: Instance, state: Any) -> None:
    symbol, function = _UNARY_OPERATOR.of(state)
    if type(symbol) is not str or type(function) is not Symbol:
        raise refused("a unary operator is not of the protocol")
    instance.value = _UNARY_OPERATORS.get((symbol, function))
    if instance.value is None:
        raise refused(f"no unary operator {symbol[:10]!a} computes {function}")


def _function(instance: Instance, state: Any) -> None:
    name, function = _FUNCTION.of(state)
    if type(name) is not str or type(function) is not Symbol:
        raise refused("a function is not of the protocol")
    instance.value = _FUNCTIONS.get((name, function))
    if instance.value is None:
        raise refused(f"no function {name[:10]!a} computes {function}")


def _random_state(instance: Instance, state: Any) -> None:
    """Take the state of a `random.Random` and forget it: our own source gives the numbers."""
    if type(state) is not tuple:
        raise refused("a random state is no tuple")
    instance.value = _UNIFORM


def _random(arguments: tuple[Any, ...]) -> Instance:
    if arguments:
        raise refused("Random is called with arguments")
    return Instance(_random_state)


def _getattr(arguments: tuple[Any, ...]) -> Symbol:
    """The only attribute that a message ever gets: ``Random().uniform``."""
    if len(arguments) == 2:
        instance, name = arguments
        if type(instance) is Instance and instance.build is _random_state and type(name) is str and name == "uniform":
            return _UNIFORM
    raise refused("it gets an attribute other than Random().uniform")


def _associativity(arguments: tuple[Any, ...]) -> Symbol:
    if len(arguments) == 1 and type(arguments[0]) is int and arguments[0] in (0, 1):
        return _RIGHT if arguments[0] else _LEFT
    raise refused("an associativity is neither 0 nor 1")


def _node(value: Any) -> Instance:
    """The instance of a complete expression; one that is still being built would contain itself."""
    if type(value) is not Instance or not value.size:
        raise refused("something other than a complete expression stands where one belongs")
    return value


def _built(value: Any, build: Any) -> Any:
    """The value of a complete instance of the class that ``build`` belongs to."""
    if type(value) is not Instance or value.build is not build or value.value is None:
        raise refused("an operator or a function is missing or of the wrong class")
    return value.value


_FUNCTION_GLOBALS: dict[tuple[str, str], Symbol] = {
    ("calculator", "UnaryOperator"): Symbol("UnaryOperator", new=lambda: Instance(_unary_operator)),
    ("calculator", "BinaryOperator"): Symbol("BinaryOperator", new=lambda: Instance(_binary_operator)),
    ("calculator", "Function"): Symbol("Function", new=lambda: Instance(_function)),
    ("calculator", "Associativity"): Symbol("Associativity", call=_associativity),
    ("random", "Random"): Symbol("Random", call=_random),
}
for _module in ("_operator", "operator"):
    _FUNCTION_GLOBALS |= {(_module, name): symbol for name, symbol in _PYTHON.items()}
for _what in FUNCTIONS:
    if _what.module:
        _FUNCTION_GLOBALS[_what.module, _what.name] = _CALLED[_what.name]
#: Protocol 2 calls the built-in module by its Python 2 name.
for _module in ("builtins", "__builtin__"):
    _FUNCTION_GLOBALS[_module, "getattr"] = Symbol("getattr", call=_getattr)
    _FUNCTION_GLOBALS |= {(_module, name): _CALLED[name] for name in ("max", "min", "pow")}
