"""A tree into closures. Whatever can be known before the run is decided here, once."""

from collections.abc import Callable
from typing import Any

from canvas.domain.expressions import closures, tree
from canvas.domain.expressions.catalogue import FUNCTIONS, MACROS, Function
from canvas.domain.expressions.closures import At, Evaluate, Fault, Roots
from canvas.domain.expressions.faults import (
    ExpressionError,
    ExpressionSyntaxError,
    ExpressionTypeError,
    MissingValue,
)
from canvas.domain.expressions.macros import make_loop
from canvas.domain.expressions.operators import OPERATORS, UNMETERED_OPERATORS
from canvas.domain.expressions.paths import explain_path, near_names, suggestion
from canvas.domain.expressions.patterns import compile_pattern
from canvas.domain.expressions.values import describe

_OTHER_LANGUAGES = {
    "len": "size",
    "length": "size",
    "count": "size",
    "str": "string",
    "toString": "string",
    "float": "double",
    "number": "double",
    "toUpperCase": "upper",
    "toLowerCase": "lower",
    "includes": "contains",
    "find": "filter",
    "some": "exists",
    "every": "all",
    "unique": "distinct",
    "strip": "trim",
}
"What people try first, coming from elsewhere."


class Compiler:
    """Compiles the trees of one text; afterwards it knows what its programs need to run."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._scope: list[str] = []
        self._is_guarded = False
        self.is_metered = False
        "Whether anything was compiled whose cost depends on values."
        self.variables = 0
        "How many macro variables are alive at once."

    def compile(self, node: tree.Node) -> Evaluate:
        """Turn a node into a function of the context and a meter.

        Raises:
            ExpressionSyntaxError: It calls an unknown function, or one with the wrong number of arguments.
            ExpressionError: A constant pattern is none.
        """
        return _EMITTERS[type(node)](self, node)

    def _at(self, node: tree.Node | tree.Key) -> At:
        return self._text, node.offset

    # values

    def _literal(self, node: tree.Literal) -> Evaluate:
        value = node.value
        return lambda roots, meter: value

    def _list(self, node: tree.ListLiteral) -> Evaluate:
        self.is_metered = True
        return closures.list_of(tuple(map(self.compile, node.items)))

    def _object(self, node: tree.ObjectLiteral) -> Evaluate:
        self.is_metered = True
        pairs = zip(node.keys, node.values, strict=True)
        return closures.object_of(
            tuple((self.compile(key), self.compile(value), self._at(key)) for key, value in pairs)
        )

    # names and paths

    def _name(self, node: tree.Name) -> Evaluate:
        return self._constant_path(node, ())

    def _path(self, node: tree.Path) -> Evaluate:
        names = tuple(key for key in node.keys if isinstance(key, tree.Key) and type(key.value) is str)
        if isinstance(node.base, tree.Name) and len(names) == len(node.keys):
            return self._constant_path(node.base, names)
        label = node.base.name if isinstance(node.base, tree.Name) else "(…)"
        steps = [(self._key(key), self._at(key)) for key in node.keys]
        return closures.keys_from(self.compile(node.base), None if self._is_guarded else label, steps)

    def _key(self, key: tree.Key | tree.Node) -> Evaluate:
        if not isinstance(key, tree.Key):
            return self.compile(key)
        value = key.value
        return lambda roots, meter: value

    def _constant_path(self, base: tree.Name, keys: tuple[tree.Key, ...]) -> Evaluate:
        names = tuple(key.value for key in keys)
        fault = self._fault(base, keys)
        if base.name not in self._scope:
            return closures.names_from_root(base.name, names, fault)
        slot = len(self._scope) - 1 - self._scope[::-1].index(base.name)
        return closures.names_from_variable(slot, base.name, names, fault)

    def _fault(self, base: tree.Name, keys: tuple[tree.Key, ...]) -> Fault:
        """What to raise for a missing name: caught errors are made cheaply, the others explain themselves."""
        if self._is_guarded:
            return lambda roots: MissingValue()
        text = self._text

        def fault(roots: Roots) -> ExpressionError:
            error, index = explain_path(roots, base.name, [key.value for key in keys])
            return error.at(text, base.offset if index < 0 else keys[index].offset)

        return fault

    def _has(self, node: tree.Has) -> Evaluate:
        return closures.leads_somewhere(self._guarded(node.path))

    def _guarded(self, node: tree.Node) -> Evaluate:
        before, self._is_guarded = self._is_guarded, True
        run = self.compile(node)
        self._is_guarded = before
        return run

    # operators

    def _unary(self, node: tree.Unary) -> Evaluate:
        make = closures.inversion if node.operator == "!" else closures.negation
        return make(self.compile(node.operand), self._at(node))

    def _chain(self, node: tree.Chain) -> Evaluate:
        sign = node.operators[0][0]
        if sign in ("&&", "||"):
            operands = tuple((self.compile(operand), self._at(operand)) for operand in node.operands)
            return closures.logic(sign, operands, stops_at=sign == "||")
        if sign == "??":
            *tried, last = node.operands
            return closures.first_present(tuple(map(self._guarded, tried)), self.compile(last))
        if sign in ("==", "!="):
            return self._equality(node, sign)
        return self._operation(node)

    def _equality(self, node: tree.Chain, sign: str) -> Evaluate:
        left, right = node.operands
        if isinstance(left, tree.Literal):
            left, right = right, left
        if not isinstance(right, tree.Literal):
            return self._operation(node)
        return closures.equality_with(self.compile(left), right.value, is_equal=sign == "==")

    def _operation(self, node: tree.Chain) -> Evaluate:
        if any(sign not in UNMETERED_OPERATORS for sign, _ in node.operators):
            self.is_metered = True
        first, *rest = map(self.compile, node.operands)
        steps = zip(node.operators, rest, strict=True)
        return closures.operation(
            first, [(OPERATORS[sign], operand, (self._text, offset)) for (sign, offset), operand in steps]
        )

    def _choice(self, node: tree.Choice) -> Evaluate:
        condition, then, otherwise = map(self.compile, (node.condition, node.then, node.otherwise))
        return closures.choice(condition, then, otherwise, self._at(node.condition))

    # calls and macros

    def _call(self, node: tree.Call) -> Evaluate:
        self.is_metered = True
        function = self._function(node)
        arguments = tuple(map(self.compile, node.arguments))
        if function.name == "matches" and isinstance(node.arguments[1], tree.Literal):
            return self._search(node, arguments[0], node.arguments[1])
        return closures.call(function, arguments, self._at(node))

    def _search(self, node: tree.Call, subject: Evaluate, pattern: tree.Literal) -> Evaluate:
        """A constant pattern is compiled, and refused, before the run."""
        try:
            if type(pattern.value) is not str:
                raise ExpressionTypeError(f"A pattern is a string, not {describe(pattern.value)}.")
            return closures.search(subject, compile_pattern(pattern.value), self._at(node))
        except ExpressionError as error:
            raise error.at(*self._at(pattern)) from None

    def _function(self, node: tree.Call) -> Function:
        found = FUNCTIONS.get(node.name)
        if found is None:
            near = near_names(node.name, [*FUNCTIONS, *MACROS])
            if node.name in _OTHER_LANGUAGES:
                near = [_OTHER_LANGUAGES[node.name]]
            sentence = f"There is no function `{node.name[:40]}`.{suggestion(near)}"
            raise ExpressionSyntaxError(sentence, near=near).at(*self._at(node))
        count = len(node.arguments)
        if not found.accepts(count):
            sentence = f"`{node.name}` does not take {count} argument{'s' * (count != 1)}: {found.signature}"
            raise ExpressionSyntaxError(sentence, hint=found.signature).at(*self._at(node))
        return found

    def _macro(self, node: tree.Macro) -> Evaluate:
        self.is_metered = True
        target, slot = self.compile(node.target), len(self._scope)
        self._scope.append(node.variable)
        self.variables = max(self.variables, len(self._scope))
        bodies = tuple(map(self.compile, node.bodies))
        self._scope.pop()
        loop = make_loop(node.name, slot, bodies, 1 + sum(map(tree.weight, node.bodies)))
        return closures.repetition(node.name, target, loop, self._at(node), self._at(node.bodies[0]))


_EMITTERS: dict[type, Callable[[Compiler, Any], Evaluate]] = {
    tree.Literal: Compiler._literal,
    tree.Name: Compiler._name,
    tree.Path: Compiler._path,
    tree.Chain: Compiler._chain,
    tree.Unary: Compiler._unary,
    tree.Choice: Compiler._choice,
    tree.Call: Compiler._call,
    tree.Macro: Compiler._macro,
    tree.Has: Compiler._has,
    tree.ListLiteral: Compiler._list,
    tree.ObjectLiteral: Compiler._object,
}
