"""Cutting a long question into short ones, so that an answer of any length needs little memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from shopfloor.services.historian.options import MINUTE

Weigh = Callable[[Sequence[str], int, int], int]
"""About how many rows some tags have in [start, end)."""

Cut = tuple[Sequence[str], int, int]
"""Tags that stand beside each other in the question, start and end."""


def cuts(tags: Sequence[str], start: int, end: int, rows: int, weigh: Weigh) -> Iterator[Cut]:
    """The question in halves of halves, by tag and then by time, until each answers about `rows` rows.

    >>> list(cuts(["a", "b"], 0, 10, 15, lambda tags, start, end: len(tags) * (end - start)))
    [(['a'], 0, 10), (['b'], 0, 10)]
    """
    if not tags or end <= start:
        return
    many = (len(tags) > 1 or end - start > MINUTE) and weigh(tags, start, end) > rows
    if not many:
        yield tags, start, end
        return
    for half in _halves(tags, start, end):
        yield from cuts(*half, rows, weigh)


def _halves(tags: Sequence[str], start: int, end: int) -> tuple[Cut, Cut]:
    if len(tags) > 1:
        middle = len(tags) // 2
        return (tags[:middle], start, end), (tags[middle:], start, end)
    noon = (start + end) // 2
    return (tags, start, noon), (tags, noon, end)
