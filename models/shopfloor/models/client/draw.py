"""Which moments teach: those before events, and quiet ones drawn by a stated rule; none looks into the future."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.client.spans import UNKNOWN, Ints, Span

QUIET: Final = "quiet"
_NEVER: Final = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Rule:
    """What is drawn; times in ns. A window ends at its moment and shows (moment - window, moment].

    before      a moment carries the label of the next event when that begins within `before` after it
    after       until so long after an event its asset is not itself
    window      how far a window looks back; `every` is its step
    hop         from one moment to the next: back from each event, and from quiet to quiet on multiples of it in UTC
    negatives   quiet moments for each moment before an event; None: all
    """

    before: int
    after: int
    window: int
    every: int
    hop: int
    negatives: float | None
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Moments [n] (UTC ns) of assets by asset and time, their labels, and how many events have none."""

    asset: NDArray[np.object_]
    time: Ints
    label: NDArray[np.object_]
    without: int


def draw(rule: Rule, spans: Mapping[str, Sequence[Span]], start: int, end: int) -> Drawn:
    """Draw from [start, end): all moments before events, and quiet ones, at random by the seed.

    A window never touches an event, its `after`, or a time of which nobody knows. A moment is quiet when, besides,
    nothing begins within `before` after it; the last `before` of the time is never quiet, as what follows is not known.

    >>> events = {"cnc": [Span("cnc", 500, 500, "alarm")]}
    >>> found = draw(Rule(20, 100, 20, 10, 20, 2.0), events, 0, 1000)
    >>> found.time[found.label == "alarm"].tolist(), int((found.label == "quiet").sum())
    ([490], 2)
    """
    lives = {asset: _Life(rule, spans[asset], start, end) for asset in sorted(spans)}
    events = [(asset, *life.before_events()) for asset, life in lives.items()]
    calm = _quiet(rule, lives, sum(len(time) for _, time, _, _ in events))
    asset, time, label = [], [np.empty(0, np.int64)], []
    for name, at, words, _ in events:
        order = np.argsort(both := np.concatenate([at, calm[name]]), kind="stable")
        time.append(both[order])
        label.append(np.array([*words, *[QUIET] * len(calm[name])], object)[order])
        asset.append(np.full(len(both), name, object))
    nothing = np.empty(0, object)
    return Drawn(
        np.concatenate([nothing, *asset]), np.concatenate(time), np.concatenate([nothing, *label]),
        sum(without for *_, without in events),
    )  # fmt: skip


def _quiet(rule: Rule, lives: Mapping[str, _Life], events: int) -> dict[str, Ints]:
    """Quiet moments of each asset: all, or as many as asked for, each as likely as any other one."""
    if rule.negatives is None:
        return {asset: life.quiet() for asset, life in lives.items()}
    counts = [len(life.quiet()) for life in lives.values()]
    random = np.random.default_rng(rule.seed)
    wanted = min(round(rule.negatives * events), sum(counts))
    shares = random.multivariate_hypergeometric(counts, wanted, method="marginals")
    return {
        asset: np.sort(random.choice(life.quiet(), share, replace=False)) if share else np.empty(0, np.int64)
        for (asset, life), share in zip(lives.items(), shares.tolist(), strict=True)
    }


class _Life:
    """What happened to one asset."""

    def __init__(self, rule: Rule, spans: Sequence[Span], start: int, end: int) -> None:
        self._rule, self._start, self._end = rule, start, end
        self._events = sorted((one for one in spans if one.label != UNKNOWN), key=lambda one: one.start)
        self._starts = np.array([one.start for one in self._events], np.int64)
        self._blind = np.sort(np.array([one.start for one in spans if one.label == UNKNOWN], np.int64))
        ends = sorted((one.start, one.end + rule.after * (one.label != UNKNOWN)) for one in spans)
        self._from = np.array([begun for begun, _ in ends], np.int64)
        self._until = np.maximum.accumulate(np.array([until for _, until in ends], np.int64))

    def before_events(self) -> tuple[Ints, list[str], int]:
        """Moments before events, their labels, and how many events of the time have none."""
        rule, time, label, without = self._rule, [np.empty(0, np.int64)], [], 0
        for one in self._events:
            last = (one.start - 1) // rule.every * rule.every
            at = np.arange(last, one.start - rule.before - 1, -rule.hop, dtype=np.int64)
            at = at[self._open(at) & (self._next(self._starts, at) == one.start)]
            time.append(at)
            label += [one.label] * len(at)
            without += not len(at) and self._start <= one.start < self._end
        found, first = np.unique(np.concatenate(time), return_index=True)
        return found, [label[i] for i in first], without

    def quiet(self) -> Ints:
        """All quiet moments."""
        rule = self._rule
        at = np.arange(-(-self._start // rule.hop), (self._end - rule.before) // rule.hop + 1, dtype=np.int64)
        at *= rule.hop
        calm = self._open(at) & (at < self._end)
        for starts in (self._starts, self._blind):
            calm &= self._next(starts, at) - at > rule.before
        return at[calm]

    def _open(self, at: Ints) -> NDArray[np.bool_]:
        """Where the window lies in the time, and touches nothing."""
        first = at - self._rule.window + self._rule.every
        row = np.searchsorted(self._from, at, "right") - 1
        touched = np.zeros(len(at), bool)
        if len(self._until):
            touched = (row >= 0) & (self._until[np.maximum(row, 0)] >= first)
        return (first >= self._start) & ~touched

    @staticmethod
    def _next(starts: Ints, at: Ints) -> Ints:
        """When the next one begins after each moment."""
        found: Ints = np.append(starts, _NEVER)[np.searchsorted(starts, at, "right")]
        return found
