"""What the parser makes and the compiler reads. Nodes are plain values; `offset` is where to point in the text."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Literal:
    """A string, number, true, false or null."""

    offset: int
    value: Any


@dataclass(frozen=True, slots=True)
class Name:
    """A name from the context, or a macro's variable."""

    offset: int
    name: str


@dataclass(frozen=True, slots=True)
class Key:
    """One constant step of a path: a member's name, or an index in brackets; `start:end` is its spelling."""

    offset: int
    value: str | int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Path:
    """Members of a value, one after the other; a computed key is a node of its own."""

    offset: int
    base: "Node"
    keys: "tuple[Key | Node, ...]"


@dataclass(frozen=True, slots=True)
class Chain:
    """Operators of one level, from left to right: `a + b - c`, `a && b && c`, `a ?? b ?? c`, one comparison."""

    offset: int
    operators: tuple[tuple[str, int], ...]
    operands: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Unary:
    """`!x` or `-x`."""

    offset: int
    operator: str
    operand: "Node"


@dataclass(frozen=True, slots=True)
class Choice:
    """`condition ? then : otherwise`."""

    offset: int
    condition: "Node"
    then: "Node"
    otherwise: "Node"


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the table; written as a method, the target is its first argument."""

    offset: int
    name: str
    arguments: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Macro:
    """A body that is evaluated for every element of a list, or every key of an object."""

    offset: int
    name: str
    target: "Node"
    variable: str
    bodies: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Has:
    """`has(path)`: whether the path leads anywhere."""

    offset: int
    path: "Node"


@dataclass(frozen=True, slots=True)
class ListLiteral:
    """`[a, b]`."""

    offset: int
    items: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class ObjectLiteral:
    """`{'a': 1}`."""

    offset: int
    keys: "tuple[Node, ...]"
    values: "tuple[Node, ...]"


Node = Literal | Name | Path | Chain | Unary | Choice | Call | Macro | Has | ListLiteral | ObjectLiteral


def children(node: Node) -> Iterator[Node]:
    """Yield the nodes directly inside, in the order of the text."""
    for field in node.__slots__:
        value = getattr(node, field)
        if isinstance(value, Node):
            yield value
        elif isinstance(value, tuple):
            yield from (item for item in value if isinstance(item, Node))


_WEIGHTS: dict[type, int] = {Literal: 0, Call: 4, Macro: 6, Has: 8}


def weight(node: Node) -> int:
    """Estimate the units of work that one evaluation of a node takes, repetitions and sizes apart."""
    is_coalescing = isinstance(node, Chain) and node.operators[0][0] == "??"
    return (8 if is_coalescing else _WEIGHTS.get(type(node), 1)) + sum(map(weight, children(node)))
