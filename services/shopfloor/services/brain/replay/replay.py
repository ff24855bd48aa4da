"""Replay: models over a stretch of the past, at full speed, side by side over the same windows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np
from shopfloor.models.columns import DAY
from shopfloor.models.inputs import MACHINE, POT
from shopfloor.models.streaming import streamed
from shopfloor.plant.asset import Asset
from shopfloor.plant.errors import QuestionError
from shopfloor.services.brain.cards import card_of
from shopfloor.services.brain.feed import HistoryReader
from shopfloor.services.brain.follow import lines
from shopfloor.services.brain.replay.outcome import Costs, Outcome, outcome
from shopfloor.services.brain.replay.streams import having_tags, stream_windows
from shopfloor.services.brain.replay.windows import Judge, Labels, Spent, Windows, machine_windows, pot_windows
from shopfloor.services.brain.serving import Opened
from shopfloor.services.registry import Evidence, Policy
from shopfloor.services.registry.gate import weigh
from shopfloor.services.registry.scope import covers
from shopfloor.services.registry.scores import Labelled

LONGEST: Final = 400 * DAY
Told = Callable[[int, int], None]


class Stopped(Exception):  # noqa: N818 (what happened)
    """Somebody took the replay back."""


@dataclass(frozen=True, slots=True)
class Question:
    """Which assets, which windows (those that ended in [start, end) UTC ns), and what errors cost."""

    scope: str
    start: int
    end: int
    costs: Costs = field(default_factory=Costs)

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end or self.end - self.start > LONGEST:
            raise QuestionError(
                f"A replay goes from a start to a later end, {LONGEST // DAY} days at most: give other times."
            )


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of it: the evidence and the outcome of the model, the outcome of the one beside it, and the effort."""

    evidence: Evidence
    own: Outcome
    other: Outcome | None
    assets: int
    spent: Spent
    question: Question

    def to_json(self) -> dict[str, Any]:
        """Plain content, for the audit and the API; times are epoch ms, CPU seconds by kind of work."""
        spent = {k: round(getattr(self.spent, k), 3) for k in ("reading", "describing", "scoring")}
        busy = self.spent.describing + self.spent.scoring
        return {
            "scope": self.question.scope,
            "start": self.question.start / 1e6,
            "end": self.question.end / 1e6,
            "costs": asdict(self.question.costs),
            "assets": self.assets,
            "evidence": asdict(self.evidence),
            "version": asdict(self.own),
            "against": asdict(self.other) if self.other else None,
            "cpu_s": spent,
            "windows_per_cpu_s": round(self.spent.windows / busy) if busy > 0 else None,
        }


@dataclass(slots=True)
class _Progress:
    """Counts how much time of how many assets was read; raises `Stopped` when somebody wants no more."""

    assets: int
    start: int
    end: int
    told: Told
    stop: Callable[[], bool]
    done: int = 0

    def upto(self, several: int) -> Callable[[int], None]:
        """Hears up to when `several` assets were read."""

        def heard(moment: int) -> None:
            if self.stop():
                raise Stopped
            read = min(max(moment - self.start, 0), self.end - self.start)
            self.told(self.done * (self.end - self.start) + several * read, self.assets * (self.end - self.start))

        return heard


def replay(
    reader: HistoryReader,
    assets: Sequence[Asset],
    models: Sequence[Opened],
    question: Question,
    labels: Labels,
    policy: Policy,
    told: Told = lambda *_: None,
    stop: Callable[[], bool] = lambda: False,
) -> Replayed:
    """The first model, and the second where there is one, over the windows of the question; raises `Stopped`.

    `assets` are those of the plant; `told` hears (done, total) in nanoseconds of assets.
    """
    card = models[0].bundle.manifest
    spec = streamed(card)
    mine = [a for a in assets if (spec or a.type == card.asset_type) and covers(question.scope, str(a.path))]
    mine = mine if spec is None else having_tags(reader, spec, mine)
    if not mine:
        raise QuestionError(f"No asset of {question.scope} is one that {card.name} judges: give another scope.")
    spent = Spent()
    progress = _Progress(len(mine), question.start, question.end, told, stop)
    windows = list(_windows(reader, assets, mine, question, Judge(models, spent), labels, progress))
    spent.lap("reading")
    days = (question.end - question.start) / DAY
    outcomes = [
        outcome(one.bundle.manifest, one.number, i, windows, days, question.costs) for i, one in enumerate(models)
    ]
    known = labelled(windows)
    evidence = weigh(
        card_of(models[0].bundle), models[0].number, models[1].number if models[1:] else None, question.scope,
        known, known, _health(outcomes[0], spent), policy,
    )  # fmt: skip
    return Replayed(evidence, outcomes[0], outcomes[1] if outcomes[1:] else None, len(mine), spent, question)


def _windows(
    reader: HistoryReader, assets: Sequence[Asset], mine: Sequence[Asset], question: Question, judge: Judge,
    labels: Labels, progress: _Progress,
) -> Iterator[Windows]:  # fmt: skip
    span = (question.start, question.end)
    if streamed(judge.models[0].bundle.manifest) is not None:
        told = progress.upto(len(mine))
        yield from stream_windows(reader, mine, span, judge.models, judge.spent, labels, told)
        return
    kind = mine[0].type
    if kind == MACHINE:
        for asset in mine:
            yield machine_windows(reader, asset, span, judge, labels, progress.upto(1))
            progress.done += 1
        return
    names = {str(a.path) for a in mine}
    for line in lines([a for a in assets if a.type == POT]):
        asked = sum(str(a.path) in names for a in line.assets)
        if asked:
            several = pot_windows(reader, line.assets, span, judge, labels, progress.upto(asked))
            yield from (w for w in several if w.asset in names)
            progress.done += asked


def labelled(windows: Sequence[Windows]) -> Labelled:
    """Windows with a truth, as the gate weighs them: in the order of their ends."""
    if not windows:
        nothing = np.empty(0)
        return Labelled(np.empty(0, np.str_), np.empty(0, np.int64), *([nothing] * 6))
    known = [~np.isnan(w.truth.low) & ~np.isnan(w.said[0][0]) for w in windows]
    end = np.concatenate([w.end[k] for w, k in zip(windows, known, strict=True)])
    order = np.argsort(end, kind="stable")
    asset = np.concatenate([np.full(int(k.sum()), w.asset) for w, k in zip(windows, known, strict=True)])
    columns = [[w.said[0][i][k] for w, k in zip(windows, known, strict=True)] for i in range(3)]
    columns.append([w.said[-1][0][k] if w.said[1:] else np.full(int(k.sum()), np.nan)
                    for w, k in zip(windows, known, strict=True)])  # fmt: skip
    columns += [[getattr(w.truth, s)[k] for w, k in zip(windows, known, strict=True)] for s in ("low", "high")]
    return Labelled(asset[order], end[order], *(np.concatenate(c)[order] for c in columns))


def _health(own: Outcome, spent: Spent) -> tuple[int, int, float]:
    """Windows, those without a score, and the milliseconds of CPU per window, of which a batch knows only the mean."""
    per_window = 1e3 * spent.scoring / spent.windows if spent.windows else float("nan")
    return own.windows, own.silent, per_window


def by_asset(labels: Sequence[Any]) -> Mapping[str, Sequence[Any]]:
    """Labels by their asset."""
    found: dict[str, list[Any]] = {}
    for label in labels:
        found.setdefault(label.asset, []).append(label)
    return found
