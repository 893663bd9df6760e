"""A tree into closures. Whatever can be known before the run is decided here, once."""

from collections.abc import Callable, Mapping
from typing import Any

from canvas.domain.expressions import tree
from canvas.domain.expressions.catalogue import FUNCTIONS, MACROS, Function, admit
from canvas.domain.expressions.faults import (
    ExpressionError,
    ExpressionSyntaxError,
    ExpressionTypeError,
    ExpressionValueError,
    MissingValue,
)
from canvas.domain.expressions.limits import Meter
from canvas.domain.expressions.macros import NotBoolean, make_loop
from canvas.domain.expressions.operators import OPERATORS, UNMETERED_OPERATORS, negate
from canvas.domain.expressions.paths import explain, explain_root, near_names, spell, suggestion, take
from canvas.domain.expressions.patterns import compile_pattern
from canvas.domain.expressions.values import describe, is_number, plain

Roots = Mapping[str, Any]
Evaluate = Callable[[Roots, Meter], Any]

_BROKEN = (KeyError, TypeError, IndexError)
"What plain Python raises where a path of constant names breaks off."
_ALIASES = {
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
    "concat": "merge",
    "strip": "trim",
}


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

    # values

    def _literal(self, node: tree.Literal) -> Evaluate:
        value = node.value
        return lambda roots, meter: value

    def _list(self, node: tree.ListLiteral) -> Evaluate:
        self.is_metered = True
        items = tuple(map(self.compile, node.items))
        memory = 64 + 8 * len(items)

        def run(roots: Roots, meter: Meter) -> Any:
            meter.spend(1, memory)
            return [item(roots, meter) for item in items]

        return run

    def _object(self, node: tree.ObjectLiteral) -> Evaluate:
        self.is_metered = True
        pairs = tuple(zip(map(self.compile, node.keys), map(self.compile, node.values), strict=True))
        offsets = [key.offset for key in node.keys]
        memory = 64 + 64 * len(pairs)

        def run(roots: Roots, meter: Meter) -> Any:
            meter.spend(1, memory)
            built: dict[str, Any] = {}
            for (key, value), offset in zip(pairs, offsets, strict=True):
                name = key(roots, meter)
                if not isinstance(name, str):
                    raise ExpressionTypeError(f"A key is a string, not {describe(name)}.").at(self._text, offset)
                if name in built:
                    raise ExpressionValueError(f"The key `{name[:40]}` stands twice.").at(self._text, offset)
                built[name] = value(roots, meter)
            return built

        return run

    # names and paths

    def _name(self, node: tree.Name) -> Evaluate:
        return self._constant_path(node, ())

    def _path(self, node: tree.Path) -> Evaluate:
        constant = all(isinstance(key, tree.Key) and type(key.value) is str for key in node.keys)
        if isinstance(node.base, tree.Name) and constant:
            return self._constant_path(node.base, tuple(key for key in node.keys if isinstance(key, tree.Key)))
        return self._general_path(node)

    def _constant_path(self, base: tree.Name, keys: tuple[tree.Key, ...]) -> Evaluate:
        names = tuple(key.value for key in keys)
        if base.name in self._scope:
            return self._variable_path(base, keys, len(self._scope) - 1 - self._scope[::-1].index(base.name))
        root, fault = base.name, self._fault(base, keys)

        def run(roots: Roots, meter: Meter) -> Any:
            try:
                value = roots[root]
                for name in names:
                    value = value[name]
            except _BROKEN:
                raise fault(roots) from None
            return value

        return run if len(names) > 1 else lambda roots, meter: plain(run(roots, meter))

    def _variable_path(self, base: tree.Name, keys: tuple[tree.Key, ...], slot: int) -> Evaluate:
        names = tuple(key.value for key in keys)
        fault = self._fault(base, keys)

        def run(roots: Roots, meter: Meter) -> Any:
            value = meter.variables[slot]
            try:
                for name in names:
                    value = value[name]
            except _BROKEN:
                raise fault({base.name: meter.variables[slot]}) from None
            return value

        return run

    def _fault(self, base: tree.Name, keys: tuple[tree.Key, ...]) -> Callable[[Roots], ExpressionError]:
        if self._is_guarded:
            return lambda roots: MissingValue()

        def describe_fault(roots: Roots) -> ExpressionError:
            if base.name not in roots:
                return explain_root(base.name, roots).at(self._text, base.offset)
            value = roots[base.name]
            for index, key in enumerate(keys):
                try:
                    value = take(value, key.value)
                except MissingValue:
                    place = spell(base.name, [good.value for good in keys[:index]])
                    return explain(value, key.value, place).at(self._text, key.offset)
                except ExpressionError as error:
                    return error.at(self._text, key.offset)
            raise AssertionError("a path that broke off leads somewhere")

        return describe_fault

    def _general_path(self, node: tree.Path) -> Evaluate:
        base = self.compile(node.base)
        label = node.base.name if isinstance(node.base, tree.Name) else "(…)"
        is_guarded, text = self._is_guarded, self._text
        steps = [
            (None, key.value, key.offset) if isinstance(key, tree.Key) else (self.compile(key), None, key.offset)
            for key in node.keys
        ]

        def run(roots: Roots, meter: Meter) -> Any:
            value = base(roots, meter)
            taken: list[Any] = []
            for compute, constant, offset in steps:
                key = constant if compute is None else compute(roots, meter)
                try:
                    value = take(value, key)
                except MissingValue:
                    raise (
                        MissingValue() if is_guarded else explain(value, key, spell(label, taken)).at(text, offset)
                    ) from None
                except ExpressionError as error:
                    raise error.at(text, offset) from None
                taken.append(key)
            return plain(value)

        return run

    def _has(self, node: tree.Has) -> Evaluate:
        path = self._guarded(node.path)

        def run(roots: Roots, meter: Meter) -> Any:
            try:
                path(roots, meter)
            except MissingValue:
                return False
            return True

        return run

    def _guarded(self, node: tree.Node) -> Evaluate:
        """Compile what may be missing: its errors are caught at once, so they are made cheaply."""
        before, self._is_guarded = self._is_guarded, True
        run = self.compile(node)
        self._is_guarded = before
        return run

    # operators

    def _unary(self, node: tree.Unary) -> Evaluate:
        operand, text, offset = self.compile(node.operand), self._text, node.offset

        def invert(roots: Roots, meter: Meter) -> Any:
            value = operand(roots, meter)
            if value is True or value is False:
                return not value
            raise ExpressionTypeError(f"`!` takes true or false, not {describe(value)}.").at(text, offset)

        def minus(roots: Roots, meter: Meter) -> Any:
            try:
                return negate(operand(roots, meter))
            except ExpressionError as error:
                raise error.at(text, offset) from None

        return invert if node.operator == "!" else minus

    def _chain(self, node: tree.Chain) -> Evaluate:
        sign = node.operators[0][0]
        if sign in ("&&", "||"):
            return self._logic(node, stops_at=sign == "||")
        if sign == "??":
            return self._alternatives(node)
        if sign in ("==", "!="):
            literal, other = self._scalar_side(node)
            if literal is not None and other is not None:
                return self._equals_literal(other, literal.value, is_equal=sign == "==")
        return self._binary(node)

    def _binary(self, node: tree.Chain) -> Evaluate:
        text = self._text
        first, *rest = map(self.compile, node.operands)
        steps = [
            (OPERATORS[sign], operand, offset) for (sign, offset), operand in zip(node.operators, rest, strict=True)
        ]
        if any(sign not in UNMETERED_OPERATORS for sign, _ in node.operators):
            self.is_metered = True

        def run(roots: Roots, meter: Meter) -> Any:
            value = first(roots, meter)
            for calculate, operand, offset in steps:
                other = operand(roots, meter)
                try:
                    value = calculate(value, other, meter)
                except ExpressionError as error:
                    raise error.at(text, offset) from None
            return value

        return run

    def _scalar_side(self, node: tree.Chain) -> tuple[tree.Literal | None, tree.Node | None]:
        left, right = node.operands
        if isinstance(right, tree.Literal):
            return right, left
        return (left, right) if isinstance(left, tree.Literal) else (None, None)

    def _equals_literal(self, node: tree.Node, wanted: Any, *, is_equal: bool) -> Evaluate:
        operand = self.compile(node)
        if wanted is None or wanted is True or wanted is False:
            return lambda roots, meter: (operand(roots, meter) is wanted) is is_equal
        fits: Callable[[Any], bool] = is_number if is_number(wanted) else lambda value: isinstance(value, str)

        def run(roots: Roots, meter: Meter) -> Any:
            value = operand(roots, meter)
            return (value == wanted and fits(value)) is is_equal

        return run

    def _logic(self, node: tree.Chain, *, stops_at: bool) -> Evaluate:
        sign, text = node.operators[0][0], self._text
        operands = tuple((self.compile(operand), operand.offset) for operand in node.operands)

        def run(roots: Roots, meter: Meter) -> Any:
            for operand, offset in operands:
                value = operand(roots, meter)
                if value is stops_at:
                    return value
                if value is not True and value is not False:
                    sentence = f"`{sign}` takes true or false, not {describe(value)}."
                    raise ExpressionTypeError(sentence).at(text, offset)
            return not stops_at

        return run

    def _alternatives(self, node: tree.Chain) -> Evaluate:
        *tried, last = node.operands
        attempts, otherwise = tuple(map(self._guarded, tried)), self.compile(last)

        def run(roots: Roots, meter: Meter) -> Any:
            for attempt in attempts:
                try:
                    value = attempt(roots, meter)
                except MissingValue:
                    continue
                if value is not None:
                    return value
            return otherwise(roots, meter)

        return run

    def _choice(self, node: tree.Choice) -> Evaluate:
        condition, then, otherwise = map(self.compile, (node.condition, node.then, node.otherwise))
        text, offset = self._text, node.condition.offset

        def run(roots: Roots, meter: Meter) -> Any:
            value = condition(roots, meter)
            if value is True:
                return then(roots, meter)
            if value is False:
                return otherwise(roots, meter)
            raise ExpressionTypeError(f"Before `?` stands true or false, not {describe(value)}.").at(text, offset)

        return run

    # calls and macros

    def _call(self, node: tree.Call) -> Evaluate:
        self.is_metered = True
        spec, text, offset = self._function(node), self._text, node.offset
        arguments = tuple(map(self.compile, node.arguments))
        checks = tuple((spec.parameters_for(len(arguments))[i].kinds, i) for i in range(len(arguments)))
        run_function = spec.run
        if spec.name == "matches" and isinstance(node.arguments[1], tree.Literal):
            return self._matches(node, arguments[0])

        def run(roots: Roots, meter: Meter) -> Any:
            values = [argument(roots, meter) for argument in arguments]
            try:
                for kinds, i in checks:
                    if kinds and type(values[i]) not in kinds:
                        values[i] = admit(spec.name, spec.parameters_for(len(values))[i], values[i])
                return run_function(meter, *values)
            except ExpressionError as error:
                raise error.at(text, offset) from None

        return run

    def _matches(self, node: tree.Call, subject: Evaluate) -> Evaluate:
        """A constant pattern is compiled, and refused, before the run."""
        text, literal = self._text, node.arguments[1]
        assert isinstance(literal, tree.Literal)
        try:
            if type(literal.value) is not str:
                raise ExpressionTypeError(f"A pattern is a string, not {describe(literal.value)}.")
            pattern = compile_pattern(literal.value)
        except ExpressionError as error:
            raise error.at(text, literal.offset) from None

        def run(roots: Roots, meter: Meter) -> Any:
            value = subject(roots, meter)
            try:
                if not isinstance(value, str):
                    raise ExpressionTypeError(f"`matches` takes a string, not {describe(value)}.")
                return pattern.is_in(value, meter)
            except ExpressionError as error:
                raise error.at(text, node.offset) from None

        return run

    def _function(self, node: tree.Call) -> Function:
        found = FUNCTIONS.get(node.name)
        if found is None:
            known = [*FUNCTIONS, *MACROS]
            near = [_ALIASES[node.name]] if node.name in _ALIASES else near_names(node.name, known)
            sentence = f"There is no function `{node.name[:40]}`.{suggestion(near)}"
            raise ExpressionSyntaxError(sentence, near=near).at(self._text, node.offset)
        if not found.accepts(len(node.arguments)):
            sentence = f"`{node.name}` does not take {len(node.arguments)} arguments: {found.signature}"
            raise ExpressionSyntaxError(sentence, hint=found.signature).at(self._text, node.offset)
        return found

    def _macro(self, node: tree.Macro) -> Evaluate:
        self.is_metered = True
        target, slot = self.compile(node.target), len(self._scope)
        self._scope.append(node.variable)
        self.variables = max(self.variables, len(self._scope))
        bodies = tuple(map(self.compile, node.bodies))
        self._scope.pop()
        cost = 2 + sum(map(tree.weight, node.bodies))
        loop = make_loop(node.name, slot, bodies, cost)
        text, offset, name = self._text, node.offset, node.name
        body_offset = node.bodies[0].offset

        def run(roots: Roots, meter: Meter) -> Any:
            items = target(roots, meter)
            if type(items) is not list:
                if not isinstance(items, Mapping):
                    sentence = f"`{name}` takes a list or an object, not {describe(items)}."
                    raise ExpressionTypeError(sentence).at(text, offset)
                items = list(items)
            try:
                return loop(items, roots, meter)
            except NotBoolean as error:
                sentence = f"The condition of `{name}` is true or false, not {error}."
                raise ExpressionTypeError(sentence).at(text, body_offset) from None
            except ExpressionError as error:
                raise error.at(text, offset) from None

        return run


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
