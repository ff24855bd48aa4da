"""Which reason a stop probably has: a small model that learns from each stop that is told, and says how well it does.

It is judged as it was used: each stop by what had been told before it (Dawid 1984, prequential), beside the reason that
was told most often until then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from shopfloor.plant import Reader
from shopfloor.services.production.circumstances import Circumstances, begun, joined, words
from shopfloor.services.production.likelihood import ReasonModel, Step
from shopfloor.services.production.machine import Machine
from shopfloor.services.production.planned import PlannedTime
from shopfloor.services.production.records import Stop
from shopfloor.services.production.store import ProductionStore

ENOUGH: Final = 20
"""With fewer told stops no share is told: it would be a guess."""
JUDGED: Final = 200
"""So many of the newest told stops are judged."""
_MOST: Final = 1_000


@dataclass(frozen=True, slots=True)
class Score:
    """Shares of the `judged` stops: the reason was the `first` suggested, or among the first `three`.

    `usual` and `usual_three` are those of the most frequent reasons; `said` is the mean share that was told of the
    first one, and should be near `first`.
    """

    judged: int
    first: float
    three: float
    usual: float
    usual_three: float
    said: float


@dataclass(frozen=True, slots=True)
class Suggested:
    """Reasons, the likeliest first, and the shares of the likely ones; without shares nobody has told enough."""

    reasons: Sequence[str]
    shares: Mapping[str, float]


def reasons_of(declared: Mapping[str, Sequence[str]]) -> list[str]:
    """All reasons as `group/reason`, in the order of the plant file."""
    return [f"{group}/{name}" for group, names in declared.items() for name in names]


def score(steps: Sequence[Step]) -> Score | None:
    """What came out of the newest steps; None of none.

    >>> score([Step(0.9, 0.9, 1, 2), Step(0.2, 0.5, 3, 4)])
    Score(judged=2, first=0.5, three=1.0, usual=0.0, usual_three=0.5, said=0.7)
    """
    newest = steps[-JUDGED:]
    if not newest:
        return None
    each = [(step.place == 1, step.place <= 3, step.usual == 1, step.usual <= 3, step.first) for step in newest]
    return Score(len(newest), *(sum(column) / len(newest) for column in zip(*each, strict=True)))


class Suggestions:
    """A model for each type of machine; it is made anew when something was told."""

    def __init__(
        self, store: ProductionStore, machines: Mapping[str, Machine], planned: PlannedTime, reader: Reader,
        clock: Callable[[], int],
    ) -> None:  # fmt: skip
        self._store, self._machines, self._planned = store, machines, planned
        self._reader, self._clock = reader, clock
        self._learned: dict[str, tuple[ReasonModel, list[Step]]] = {}
        self._version = -1

    def of(self, stops: Sequence[Stop]) -> list[Suggested]:
        """The reasons of stops, in their order."""
        noted, now = self._noted(stops), self._clock()
        return [self._one(stop, noted[stop.id], now) for stop in stops]

    def scores(self, types: Iterable[str]) -> dict[str, tuple[int, Score | None]]:
        """Of each type of machine how many stops were learned from, and how well that went."""
        self._learn()
        known = {name: self._learned[name] for name in types if name in self._learned}
        return {name: (model.told, score(steps)) for name, (model, steps) in known.items()}

    def _one(self, stop: Stop, noted: Circumstances, now: int) -> Suggested:
        machine = self._machines.get(stop.asset)
        if machine is None or not machine.production.reasons:
            return Suggested((), {})
        self._learn()
        model, _ = self._learned[machine.asset.type]
        shares = model.shares(words(stop, noted, self._planned, now))
        likely = {reason: share for reason, share in shares.items() if share >= 0.01}
        return Suggested(list(shares), likely if model.told >= ENOUGH else {})

    def _learn(self) -> None:
        """From the first told stop to the newest: what was told meanwhile may belong anywhere."""
        version = self._store.told_version
        if version == self._version:
            return
        told = self._store.told(_MOST)[::-1]
        noted = self._noted(told)
        fresh: dict[str, tuple[ReasonModel, list[Step]]] = {
            machine.asset.type: (ReasonModel(reasons_of(machine.production.reasons)), [])
            for machine in self._machines.values()
            if machine.production.reasons
        }
        for stop in told:
            machine = self._machines.get(stop.asset)
            model, steps = fresh.get(machine.asset.type, (None, [])) if machine else (None, [])
            step = model.learn(words(stop, noted[stop.id], self._planned), stop.reason) if model else None
            steps += [step] if step else []
        self._learned, self._version = fresh, version

    def _noted(self, stops: Sequence[Stop]) -> dict[int, Circumstances]:
        """What is kept of each stop; what was not read yet is read of the store, each machine at once, and kept."""
        kept = self._store.noted([stop.id for stop in stops])
        found = {stop.id: kept.get(stop.id, (Circumstances(), False))[0] for stop in stops}
        missing: dict[str, list[Stop]] = {}
        for stop in stops:
            if stop.asset in self._machines and not kept.get(stop.id, (None, False))[1]:
                missing.setdefault(stop.asset, []).append(stop)
        for asset, several in missing.items():
            read = begun(self._reader, self._machines[asset], [stop.start for stop in several])
            for stop, one in zip(several, read, strict=True):
                found[stop.id] = joined(one, found[stop.id])
        self._store.note_stops({stop.id: found[stop.id] for several in missing.values() for stop in several})
        return found
