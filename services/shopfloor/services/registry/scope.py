"""Scopes: the part of the plant in which a model holds, and which of two scopes is the more specific one.

A scope is a selector of assets: `delta/frames/*/cell-a` is every asset of the cells `cell-a` in the area `frames`, `*`
is every asset. Where several match an asset the most specific wins; the rule, in this order:

1. more levels without any `*`;
2. more levels;
3. more letters that are not `*`;
4. fewer `*`;
5. the text that comes first in the alphabet.

The last makes the order total: two different scopes never tie, and a scope that lies inside another always wins.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from shopfloor.plant.errors import QuestionError
from shopfloor.services.historian.selector import Selector
from shopfloor.services.registry.words import Refused

_LEVELS: Final = 5
Rank = tuple[int, int, int, int, str]


def scope(text: str) -> str:
    """A scope as it is kept; what selects no assets raises `Refused`.

    >>> scope("/delta/frames/")
    'delta/frames'
    """
    clean = text.strip().strip("/")
    if clean.count("/") >= _LEVELS:
        raise Refused(f"The scope {text[:200]!r} is longer than the path of an asset: write site/area/line/cell/asset.")
    try:
        return Selector(clean).text
    except QuestionError as problem:
        raise Refused(
            f"{text[:200]!r} is no scope: write a path of assets or its beginning, '*' for any part of a level."
        ) from problem


@lru_cache(maxsize=4096)
def _selector(text: str) -> Selector:
    return Selector(text)


def covers(text: str, asset: str) -> bool:
    """Whether an asset lies in a scope.

    >>> covers("delta/frames/*/cell-a", "delta/frames/machining/cell-a/cnc-01")
    True
    """
    return _selector(text).matches(asset)


@lru_cache(maxsize=4096)
def rank(text: str) -> Rank:
    """What scopes are ordered by: the smallest is the most specific.

    >>> sorted(["*", "delta/frames", "delta/*/machining", "delta/frames/machining"], key=rank)
    ['delta/frames/machining', 'delta/*/machining', 'delta/frames', '*']
    """
    levels = text.split("/")
    stars = text.count("*")
    letters = len(text.replace("*", "").replace("/", ""))
    return -sum("*" not in level for level in levels), -len(levels), -letters, stars, text


def matching(scopes: Iterable[str], asset: str) -> list[str]:
    """The scopes in which an asset lies, the most specific first."""
    return sorted((text for text in scopes if covers(text, asset)), key=rank)
