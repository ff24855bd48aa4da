"""How a sentence says how many there are."""

from __future__ import annotations


def counted(number: int, one: str, many: str = "") -> str:
    """A number and what it counts; `many` is the plural where that is not `one` with an s.

    >>> counted(1, "tag"), counted(2_100, "tag"), counted(0, "value was", "values were")
    ('1 tag', '2,100 tags', '0 values were')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"
