"""What a tree names, as far as that is known before it runs."""

from collections.abc import Iterator
from dataclasses import dataclass

from canvas.domain.expressions import tree
from canvas.domain.expressions.tree import children


@dataclass(frozen=True, slots=True)
class Reference:
    """One place where a name from the context stands, with the constant keys behind it."""

    path: tuple[str | int, ...]
    'Such as `("steps", "create_vm", "output", "vm_id")`; it ends before the first computed key.'
    line: int
    column: int
    "Of the path's last key within its line, from 1."
    columns: tuple[int, ...]
    "The column of every part of `path`."
    is_optional: bool
    "Whether `has`, `??` or `default` ask for it, so that it may be missing."
    spans: tuple[tuple[int, int], ...]
    "Where every part is spelled in the text, as offsets from 0."


def references_in(node: tree.Node, text: str) -> tuple[Reference, ...]:
    """List the references in a tree, in the order of the text."""
    return tuple(_walk(node, text, frozenset(), False))


def _walk(node: tree.Node, text: str, bound: frozenset[str], is_optional: bool) -> Iterator[Reference]:
    if isinstance(node, tree.Name):
        if node.name not in bound:
            yield _reference(node, (), text, is_optional)
    elif isinstance(node, tree.Path):
        yield from _walk_path(node, text, bound, is_optional)
    elif isinstance(node, tree.Macro):
        yield from _walk(node.target, text, bound, is_optional)
        for body in node.bodies:
            yield from _walk(body, text, bound | {node.variable}, is_optional)
    elif isinstance(node, tree.Chain) and node.operators[0][0] == "??":
        for operand in node.operands[:-1]:
            yield from _walk(operand, text, bound, True)
        yield from _walk(node.operands[-1], text, bound, is_optional)
    else:
        for child in children(node):
            yield from _walk(child, text, bound, is_optional or isinstance(node, tree.Has))


def _walk_path(node: tree.Path, text: str, bound: frozenset[str], is_optional: bool) -> Iterator[Reference]:
    if not isinstance(node.base, tree.Name):
        yield from _walk(node.base, text, bound, is_optional)
    elif node.base.name not in bound:
        yield _reference(node.base, _constant(node.keys), text, is_optional)
    for key in node.keys:
        if not isinstance(key, tree.Key):
            yield from _walk(key, text, bound, is_optional)


def _constant(keys: tuple[tree.Key | tree.Node, ...]) -> tuple[tree.Key, ...]:
    found = []
    for key in keys:
        if not isinstance(key, tree.Key):
            break
        found.append(key)
    return tuple(found)


def _reference(base: tree.Name, keys: tuple[tree.Key, ...], text: str, is_optional: bool) -> Reference:
    spans = ((base.offset, base.offset + len(base.name)), *((key.start, key.end) for key in keys))
    columns = tuple(start - text.rfind("\n", 0, start) for start, _ in spans)
    line = text.count("\n", 0, spans[-1][0]) + 1
    path = (base.name, *(key.value for key in keys))
    return Reference(path, line, columns[-1], columns, is_optional, spans)
