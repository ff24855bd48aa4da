"""Replays of a server: one at a time, in a thread that yields to live judging, with progress and a way to end it."""

from __future__ import annotations

import logging
import os
import secrets
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from shopfloor.plant.asset import Asset
from shopfloor.plant.errors import ShopfloorError
from shopfloor.services.brain.cards import opened
from shopfloor.services.brain.feed import HistoryReader
from shopfloor.services.brain.replay.again import again
from shopfloor.services.brain.replay.outcome import Costs
from shopfloor.services.brain.replay.replay import Question, Stopped, by_asset, replay
from shopfloor.services.brain.serving import Opened
from shopfloor.services.registry import ModelUnknown, Refused, Registry, Version
from shopfloor.services.registry.scope import scope
from shopfloor.services.replaying import Wish

log: Final = logging.getLogger(__name__)
_KEPT: Final = 20
_NICE: Final = 10


@dataclass(slots=True)
class _Job:
    """One replay: running, done, failed or cancelled."""

    id: str
    wish: Wish
    state: str = "running"
    progress: float = 0.0
    sentence: str = "Reading the history."
    result: Mapping[str, Any] | None = None
    over: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None

    def told(self) -> dict[str, Any]:
        shown = {key: getattr(self, key) for key in ("id", "state", "progress", "sentence", "result")}
        return {**shown, "name": self.wish.name, "number": self.wish.number}


@dataclass(slots=True)
class Replays:
    """Replays over the history that a reader reads. Any thread may call; what is done is in the registry's audit."""

    registry: Registry
    reader: HistoryReader
    assets: Sequence[Asset]
    _jobs: dict[str, _Job] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, wish: Wish) -> Mapping[str, Any]:
        """Begin a replay; what cannot be replayed, or a second one beside another, raises `Refused`."""
        models, question = self._models(wish), _question(wish)
        with self._lock:
            if any(job.state == "running" for job in self._jobs.values()):
                raise Refused("A replay goes on already: wait until it is done, or cancel it.")
            job = _Job(secrets.token_hex(8), wish)
            self._jobs[job.id] = job
            for old in list(self._jobs)[:-_KEPT]:
                del self._jobs[old]
        job.thread = threading.Thread(target=self._run, args=(job, models, question), name="replay", daemon=True)
        job.thread.start()
        return job.told()

    def all(self) -> list[Mapping[str, Any]]:
        """The newest replays, the newest first, without their results: the audit has those."""
        return [{**job.told(), "result": None} for job in reversed(list(self._jobs.values()))]

    def told(self, number: str) -> Mapping[str, Any]:
        """How far a replay is."""
        return self._job(number).told()

    def cancel(self, number: str) -> Mapping[str, Any]:
        """End a replay at its next stretch of history."""
        job = self._job(number)
        job.over.set()
        return job.told()

    def again(self, prediction: str) -> Mapping[str, Any]:
        """Make a recorded prediction anew."""
        said = self.registry.scores.find(prediction)
        if said is None:
            raise ModelUnknown(f"There is no recorded prediction {prediction[:40]!r}: they are kept for 90 days.")
        version = self.registry.state.version(said.name, said.number)
        return again(self.reader, self.assets, self._opened(version).bundle, said).to_json()

    def close(self) -> None:
        """End what runs."""
        for job in self._jobs.values():
            job.over.set()
        for job in self._jobs.values():
            if job.thread is not None:
                job.thread.join()

    def _models(self, wish: Wish) -> list[Opened]:
        version = self.registry.state.version(wish.name, wish.number)
        against = wish.against or self.registry.incumbent(wish.name, wish.number, scope(wish.scope))
        several = [version] if against is None else [version, self.registry.state.version(wish.name, against)]
        if version.card.state != "ready":
            raise Refused(f"Version {version.number} of {version.name} abstains: there is nothing to replay.")
        return [self._opened(one) for one in several]

    def _opened(self, version: Version) -> Opened:
        if not version.card.live:
            raise Refused(f"{version.name} names no tags that it could be replayed by: seal a StreamSpec in it.")
        if fault := self.registry.bundles.fault(version.sha):
            raise Refused(fault)
        bundle = opened(self.registry.bundles.at(version.sha), version.card.target)
        return Opened(bundle, version.number, version.sha)

    def _job(self, number: str) -> _Job:
        if number not in self._jobs:
            raise ModelUnknown(f"There is no replay {number[:40]!r}: the events of a model hold those that are done.")
        return self._jobs[number]

    def _run(self, job: _Job, models: Sequence[Opened], question: Question) -> None:
        with suppress(OSError, AttributeError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        try:
            job.result = self._replayed(job, models, question)
            job.state, job.progress, job.sentence = "done", 1.0, "The replay is done."
        except Stopped:
            job.state, job.sentence = "cancelled", "The replay was cancelled."
        except ShopfloorError as problem:
            job.state, job.sentence = "failed", str(problem)
        finally:
            if job.state == "running":
                job.state, job.sentence = "failed", "The replay broke off: the log of the server says why."

    def _replayed(self, job: _Job, models: Sequence[Opened], question: Question) -> Mapping[str, Any]:
        def told(done: int, total: int) -> None:
            job.progress = round(done / total, 4)

        wish, registry = job.wish, self.registry
        labels = by_asset(registry.scores.truths(wish.name, question.start))
        found = replay(
            self.reader, self.assets, models, question, labels, registry.policy, told, job.over.is_set
        ).to_json()  # fmt: skip
        event = registry.replayed(wish.name, wish.number, wish.by, found)
        return {**found, "event": event.sequence}


def _question(wish: Wish) -> Question:
    return Question(scope(wish.scope), wish.start, wish.end, Costs(wish.cost_false_alarm, wish.cost_miss))
