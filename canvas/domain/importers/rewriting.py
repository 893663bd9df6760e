"""Expressions of other products, said in ours. Only what can be read is changed; the validator judges the rest."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from canvas.domain.expressions import ExpressionError, Reference, compile_expression, compile_template

_QUOTED = re.compile(r"""('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""", re.DOTALL)
_BRACED = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_LENGTH = re.compile(r"\.length\b(?!\s*\()")
_MAX = 16 * 1024
_MAX_ODD = 500
"Names that are no identifiers, and so cannot be found by reading the expression."
_OUTPUT_WORDS = frozenset({"result", "tool_result", "outputs", "output_data"})
"What other products call a step's output."


class Rewriter:
    """Rewrites the names in expressions: steps that were renamed, and words that other products use."""

    def __init__(self, renamed: Mapping[str, str], prefixes: Mapping[tuple[str, ...], str]) -> None:
        """Prepare a rewriter.

        Args:
            renamed: What a step was called, to its name.
            prefixes: The beginning of a path, to what stands for it here; of several the longest counts.
        """
        self._renamed = {old: new for old, new in renamed.items() if old != new}
        self._prefixes = sorted(prefixes.items(), key=lambda pair: -len(pair[0]))
        odd = sorted((old for old in self._renamed if not old.isidentifier()), key=len, reverse=True)[:_MAX_ODD]
        self._odd = re.compile(rf"\bsteps\.({'|'.join(map(re.escape, odd))})(?![\w-])") if odd else None
        self.parameters: set[str] = set()
        "The workflow parameters that are read after rewriting."

    def value(self, value: Any) -> Any:
        """Rewrite every string of a JSON value as a template; keys are left alone."""
        if isinstance(value, str):
            return self.template(value) if "{{" in value else value
        if isinstance(value, dict):
            return {key: self.value(item) for key, item in value.items()}
        return [self.value(item) for item in value] if isinstance(value, list) else value

    def template(self, text: str) -> str:
        """Rewrite a text field."""
        text = _BRACED.sub(lambda found: f"{{{{{self._spelling(found[1])}}}}}", text)
        try:
            references = compile_template(text).references
        except ExpressionError:
            return text
        return self._replaced(text, references)

    def condition(self, text: str) -> str:
        """Rewrite a condition, in which texts may hold braces and JavaScript's spellings may stand."""
        if len(text) > _MAX:
            return text
        text = _outside_quotes(text, self._spelling)
        text = _QUOTED.sub(lambda found: _unquoted(found[0]), text)
        try:
            references = compile_expression(text).references
        except ExpressionError:
            return text
        return self._replaced(text, references)

    def _spelling(self, text: str) -> str:
        text = _LENGTH.sub(".size()", text.replace("===", "==").replace("!==", "!="))
        return self._odd.sub(lambda found: f"steps.{self._renamed[found[1]]}", text) if self._odd else text

    def _replaced(self, text: str, references: Iterable[Reference]) -> str:
        changes: dict[tuple[int, int], str] = {}
        for reference in references:
            changes.update(self._changes(reference, text))
        for (start, end), new in sorted(changes.items(), reverse=True):
            text = text[:start] + new + text[end:]
        return text

    def _changes(self, reference: Reference, text: str) -> dict[tuple[int, int], str]:
        path, spans = reference.path, reference.spans
        changes = {}
        if path[0] == "steps" and len(path) > 1 and path[1] in self._renamed:
            changes[spans[1]] = _like(text[spans[1][0]], self._renamed[str(path[1])])
        result = {"steps": 2, "previous_step": 1}.get(str(path[0]), len(path))
        if result < len(path) and path[result] in _OUTPUT_WORDS:
            changes[spans[result]] = _like(text[spans[result][0]], "output")
        for old, new in self._prefixes:
            start, end = spans[0][0], spans[min(len(old), len(spans)) - 1][1]
            if path[: len(old)] == old and _is_dotted(text[start:end]):
                self._note_parameter((*new.split("."), *path[len(old) :]))
                return {**changes, (start, end): new}
        self._note_parameter(path)
        return changes

    def _note_parameter(self, path: tuple[str | int, ...]) -> None:
        if path[:2] == ("workflow", "parameters") and len(path) > 2:
            self.parameters.add(str(path[2]))


def _is_dotted(text: str) -> bool:
    return re.fullmatch(r"[\w.]+", text) is not None


def _like(first: str, name: str) -> str:
    return f"{first}{name}{first}" if first in "'\"" else name


def _outside_quotes(text: str, change: Any) -> str:
    parts = _QUOTED.split(text)
    return "".join(part if index % 2 else change(part) for index, part in enumerate(parts))


def _unquoted(quoted: str) -> str:
    """`'{{ x }}'` is what x is; `'a {{ x }}'` is joined from its parts. Nothing else is changed."""
    body = quoted[1:-1]
    parts = _BRACED.split(body)
    if len(parts) == 1:
        return quoted
    if len(parts) == 3 and not parts[0].strip() and not parts[2].strip():
        return f"{{{{{parts[1]}}}}}"
    mark = quoted[0]
    joined = [f"string({part})" if index % 2 else f"{mark}{part}{mark}" for index, part in enumerate(parts)]
    return f"({' + '.join(part for part in joined if part not in (mark * 2,))})"
