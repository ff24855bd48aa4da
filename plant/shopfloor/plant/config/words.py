"""The words of configuration errors: where something stands, and what was probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

Path = tuple[str | int, ...]


def place(path: Path, data: Any) -> str:  # noqa: C901, PLR0911, PLR0912 (a table of places)
    """Where a path of a plant file stands, in words; `data` gives the names of sources.

    >>> place(("types", "pump", "tags", "flow", "limits", 0), {})
    "limit 1 of tag 'flow' of type 'pump'"
    """
    match path:
        case ():
            return "the plant file"
        case ("types", str(kind)):
            return f"type {kind!r}"
        case ("types", str(kind), "tags", str(tag)):
            return f"tag {tag!r} of type {kind!r}"
        case ("types", str(kind), "quality", str(chart)):
            return f"chart {chart!r} of type {kind!r}"
        case ("types", str(kind), "suppress", int(index)):
            return f"suppression {index + 1} of type {kind!r}"
        case ("types", str(kind), "first_out", str(group)):
            return f"first-out group {group!r} of type {kind!r}"
        case ("types", str(kind), "production"):
            return f"the production of type {kind!r}"
        case ("assets", int(index)):
            return f"entry {index + 1} of 'assets'"
        case ("sources", int(index)):
            return _source(index, data)
        case (*head, "limits", int(index)):
            return f"limit {index + 1} of {place(tuple(head), data)}"
        case (*head, int(index)):
            return f"item {index + 1} of {place(tuple(head), data)}"
        case (key,):
            return repr(key)
        case (*head, key):
            return f"{key!r} of {place(tuple(head), data)}"
    raise AssertionError(path)


def _source(index: int, data: Any) -> str:
    try:
        return f"source {data['sources'][index]['name']!r}"
    except (KeyError, IndexError, TypeError):
        return f"source {index + 1}"


def guess(word: str, known: Iterable[str]) -> str:
    """`did you mean …?`, or nothing when nothing is near.

    >>> guess("limts", ["limits", "normal"])
    "did you mean 'limits'?"
    """
    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else ""


def expectation(word: str, known: Iterable[str]) -> str:
    """The likely word, or the whole list of known ones.

    >>> expectation("colour", ["unit", "title"])
    'expected one of title, unit'
    """
    names = sorted(known)
    return guess(word, names) or (f"expected one of {', '.join(names)}" if names else "nothing was expected")


def listed(names: Iterable[str]) -> str:
    """Names as a sentence lists them.

    >>> listed(["a", "b", "c"])
    "'a', 'b' and 'c'"
    """
    quoted = [repr(name) for name in names]
    return " and ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1]])) if quoted else ""
