"""Text fields with `{{ … }}` in them, and JSON values that hold such fields."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from canvas.domain.expressions.closures import Evaluate
from canvas.domain.expressions.compiler import Compiler
from canvas.domain.expressions.faults import ExpressionError, ExpressionLimitError, ExpressionSyntaxError
from canvas.domain.expressions.limits import MAX_TEXT, MAX_VALUE_DEPTH, Meter
from canvas.domain.expressions.parser import Parser
from canvas.domain.expressions.program import Named
from canvas.domain.expressions.references import Reference, references_in
from canvas.domain.expressions.values import check_result, to_text

Fill = Callable[[Mapping[str, Any]], Any]
_SHORT = 512


@dataclass(frozen=True, slots=True)
class Template(Named):
    """A compiled text field."""

    text: str
    is_constant: bool
    "Whether it holds no braces, so that it always gives its own text."
    _parts: tuple[str | Evaluate, ...]
    _variables: int

    def evaluate(self, context: Mapping[str, Any]) -> Any:
        """Fill in the expressions: one alone keeps its type, several parts are joined as text.

        Raises:
            ExpressionError: As `Program.evaluate`; the column is the one in the whole text.
        """
        if self.is_constant:
            return self.text
        meter = Meter(self._variables)
        try:
            return check_result(self._fill(context, meter), meter)
        except ExpressionError as error:
            raise error.at(self.text, 0) from None
        except RecursionError:
            raise ExpressionLimitError("This goes too deep.", limit="depth").at(self.text, 0) from None

    def _fill(self, context: Mapping[str, Any], meter: Meter) -> Any:
        parts = self._parts
        if len(parts) == 1 and not isinstance(parts[0], str):
            return parts[0](context, meter)
        return "".join([p if isinstance(p, str) else to_text(p(context, meter), meter) for p in parts])


def compile_template(text: str) -> Template:
    """Compile a text field, or find it among those compiled lately.

    A literal `{{` is written as `{{ "{{" }}`.

    Raises:
        ExpressionError: A part is no expression within the limits; the column is the one in the whole text.
    """
    if "{{" not in text:
        return Template((), text, True, (text,), 0)
    return _compile_short(text) if len(text) <= _SHORT else _compile_long(text)


def _compile(text: str) -> Template:
    compiler, parts, references = Compiler(text), list[str | Evaluate](), list[Reference]()
    position = nodes = 0
    while (opening := text.find("{{", position)) >= 0:
        if opening > position:
            parts.append(text[position:opening])
        parser = _embedded(text, opening, nodes)
        node, nodes = parser.parse(), parser.nodes
        if not parser.at_closing_braces():
            raise _unclosed(text, opening, parser)
        if parser.token.start - opening > MAX_TEXT:
            sentence = f"An expression has at most {MAX_TEXT:,} characters."
            raise ExpressionLimitError(sentence, limit="text").at(text, opening)
        position = parser.token.start + 2
        parts.append(compiler.compile(node))
        references.extend(references_in(node, text))
    if position < len(text):
        parts.append(text[position:])
    return Template(tuple(references), text, False, tuple(parts), compiler.variables)


def _embedded(text: str, opening: int, nodes: int) -> Parser:
    parser = Parser(text, opening + 2, nodes=nodes)
    if parser.at_closing_braces():
        raise ExpressionSyntaxError("There is no expression between the braces.").at(text, opening)
    return parser


def _unclosed(text: str, opening: int, parser: Parser) -> ExpressionError:
    if parser.token.kind == "end":
        hint = 'Write `}}` behind the expression; literal braces are written as `{{ "{{" }}`.'
        return ExpressionSyntaxError(f"This `{{{{` is never closed. {hint}", hint=hint).at(text, opening)
    return parser.unexpected("`}}` was expected.")


_compile_short = lru_cache(maxsize=4_096)(_compile)
_compile_long = lru_cache(maxsize=128)(_compile)


@dataclass(frozen=True, slots=True)
class ValueReference:
    """A reference somewhere inside a JSON value; `pointer` names the string that holds it."""

    pointer: str
    reference: Reference


@dataclass(frozen=True, slots=True)
class CompiledValue:
    """A JSON value whose strings are templates, ready to be filled in many times."""

    named: Named
    references: tuple[ValueReference, ...]
    is_constant: bool
    "Whether nothing is to be filled in; then evaluating costs nothing."
    _fill: Fill

    @property
    def roots(self) -> frozenset[str]:
        """The names that its templates begin with."""
        return self.named.roots

    @property
    def step_names(self) -> frozenset[str]:
        """The steps that its templates read."""
        return self.named.step_names

    def evaluate(self, context: Mapping[str, Any]) -> Any:
        """Fill in every template; parts without one are shared between results, so that nobody may change them.

        Raises:
            ExpressionError: As `Template.evaluate`, with the `pointer` of the string in its details.
        """
        return self._fill(context)


def compile_value(value: Any) -> CompiledValue:
    """Compile every string inside a JSON value; keys are left alone.

    Raises:
        ExpressionError: A string is no template; `pointer` in the details says which. Or the value is too deep.
    """
    templates = dict(_templates(value, "", 0))
    references = tuple(
        ValueReference(pointer, reference)
        for pointer, template in templates.items()
        for reference in template.references
    )
    named = Named(tuple(found.reference for found in references))
    dynamic = _filler(value, "", templates)
    return CompiledValue(named, references, dynamic is None, dynamic or (lambda context: value))


def _templates(value: Any, pointer: str, depth: int) -> Iterator[tuple[str, Template]]:
    if depth > MAX_VALUE_DEPTH:
        raise ExpressionLimitError(f"This goes more than {MAX_VALUE_DEPTH} levels deep.", limit="depth").within(pointer)
    if isinstance(value, str):
        if "{{" in value:
            yield pointer, _compiled_at(value, pointer)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _templates(item, f"{pointer}/{_escaped(key)}", depth + 1)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _templates(item, f"{pointer}/{index}", depth + 1)


def _escaped(key: Any) -> str:
    return str(key).replace("~", "~0").replace("/", "~1")


def _compiled_at(text: str, pointer: str) -> Template:
    try:
        return compile_template(text)
    except ExpressionError as error:
        raise error.within(pointer) from None


def _filler(value: Any, pointer: str, templates: Mapping[str, Template]) -> Fill | None:
    if isinstance(value, str):
        template = templates.get(pointer)
        return _template_filler(template, pointer) if template else None
    if isinstance(value, dict):
        parts = {key: _filler(item, f"{pointer}/{_escaped(key)}", templates) for key, item in value.items()}
        return _container_filler(value, [(key, part) for key, part in parts.items() if part])
    if isinstance(value, list):
        fills = [_filler(item, f"{pointer}/{index}", templates) for index, item in enumerate(value)]
        return _container_filler(value, [(index, part) for index, part in enumerate(fills) if part])
    return None


def _template_filler(template: Template, pointer: str) -> Fill:
    def fill(context: Mapping[str, Any]) -> Any:
        try:
            return template.evaluate(context)
        except ExpressionError as error:
            raise error.within(pointer) from None

    return fill


def _container_filler(value: Any, parts: list[tuple[Any, Fill]]) -> Fill | None:
    def fill(context: Mapping[str, Any]) -> Any:
        filled = value.copy()
        for key, part in parts:
            filled[key] = part(context)
        return filled

    return fill if parts else None


def resolve(value: Any, context: Mapping[str, Any]) -> Any:
    """Compile a JSON value and fill it in once.

    Raises:
        ExpressionError: As `compile_value` and `CompiledValue.evaluate`.
    """
    return compile_value(value).evaluate(context)


def value_references(value: Any) -> tuple[ValueReference, ...]:
    """List what the templates inside a JSON value name.

    Raises:
        ExpressionError: As `compile_value`.
    """
    return compile_value(value).references
