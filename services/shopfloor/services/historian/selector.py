"""Selectors: many tags by one text, and the part of the plant that each belongs to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from shopfloor.plant import QuestionError

LEVELS: Final = ("site", "area", "line", "cell", "asset", "tag")
"""The levels of a tag's path; together with "all" what an answer can be grouped by."""


class Selector:
    """Chooses tags by path: a whole path, its beginning, or either with `*` for any part of one level.

    >>> powers = Selector("delta/frames/*/cell-a/*/spindle.power")
    >>> powers.matches("delta/frames/machining/cell-a/cnc-01/spindle.power")
    True
    >>> Selector("delta/frames").matches("delta/frames-2/line/cell/asset/tag")
    False
    """

    def __init__(self, text: str) -> None:
        self.text = text.strip().strip("/")
        if not self.text or self.text.count("/") >= len(LEVELS) or "//" in self.text:
            raise QuestionError(
                f"{text[:200]!r} selects nothing: write a path or its beginning, site/area/line/cell/asset/tag,"
                " with '*' for any part of a level."
            )
        self._pattern = re.compile(re.escape(self.text).replace(r"\*", "[^/]*") + "(?:/|$)")

    def matches(self, path: str) -> bool:
        """Whether it chooses the tag at this full path."""
        return self._pattern.match(path) is not None

    def choose(self, paths: Sequence[str]) -> list[str]:
        """The chosen ones, in the order given."""
        match = self._pattern.match
        return [path for path in paths if match(path)]


def group_of(path: str, by: str) -> str:
    """The part of the plant that a tag belongs to: its path down to the level `by`; "" for "all".

    >>> group_of("delta/frames/machining/cell-a/cnc-01/spindle.power", "line")
    'delta/frames/machining'
    """
    return "/".join(path.split("/")[: depth(by)])


@lru_cache(maxsize=16)
def depth(by: str) -> int:
    """How many parts of a path a level has; 0 for "all". Anything else raises `QuestionError`."""
    if by == "all":
        return 0
    if by not in LEVELS:
        raise QuestionError(f"{by[:50]!r} is no level of the plant: group by {', '.join(LEVELS)} or all.")
    return LEVELS.index(by) + 1
