"""Finding entries of the catalogue by what people type: words of them, or what other systems call them."""

from collections.abc import Iterable

from canvas.domain.catalog import ActionSpec

MAX_QUERY = 200


def search(specs: Iterable[ActionSpec], query: str = "", category: str = "") -> list[ActionSpec]:
    """Give the entries that have every word of the query, the best first; without a query all, as they came.

    Args:
        query: Words; letters' case does not matter, and `SEND_EMAIL` finds what that is an alias of.
        category: Only entries of this one; empty means any.
    """
    within = [spec for spec in specs if category in ("", spec.category)]
    words = query[:MAX_QUERY].lower().split()
    if not words:
        return within
    rated = [(_fit(spec, words), spec) for spec in within]
    return [spec for points, spec in sorted(rated, key=lambda pair: -pair[0]) if points]


def _fit(spec: ActionSpec, words: list[str]) -> int:
    """Rate an entry: 0 does not fit, more is better."""
    names = {spec.name.lower(), *(alias.lower() for alias in spec.aliases)}
    title = spec.title.lower()
    everything = " ".join([*names, title, spec.category.lower(), spec.description.lower(), spec.origin_detail.lower()])
    if not all(word in everything for word in words):
        return 0
    if " ".join(words) in names:
        return 5
    if title.startswith(words[0]):
        return 4
    if words[0] in title:
        return 3
    return 2 if any(words[0] in name for name in names) else 1
