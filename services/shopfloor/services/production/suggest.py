"""Which reason a stop probably has: the ones told most often of such stops come first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from shopfloor.services.production.records import Stop

_SAME_ALARM: Final = 4
_SAME_ASSET: Final = 2


def reasons_of(declared: Mapping[str, Sequence[str]]) -> list[str]:
    """All reasons as `group/reason`, in the order of the plant file."""
    return [f"{group}/{name}" for group, names in declared.items() for name in names]


def suggested(stop: Stop, told: Iterable[Stop], declared: Mapping[str, Sequence[str]]) -> list[str]:
    """All reasons, the likeliest first: each told stop of that kind votes, more when machine or alarm are the same.

    >>> told = [Stop(1, "cnc-01", 0, 9, "down", "Tool/Broken"), Stop(2, "cnc-01", 0, 9, "idle", "People/Break")]
    >>> suggested(Stop(3, "cnc-01", 20, None, "idle"), told, {"Tool": ["Change", "Broken"], "People": ["Break"]})
    ['People/Break', 'Tool/Change', 'Tool/Broken']
    """
    votes: Counter[str] = Counter()
    for one in told:
        if one.kind == stop.kind and one.id != stop.id:
            same = _SAME_ALARM * (one.code == stop.code != "") + _SAME_ASSET * (one.asset == stop.asset)
            votes[one.reason] += 1 + same
    return sorted(reasons_of(declared), key=lambda reason: -votes[reason])
