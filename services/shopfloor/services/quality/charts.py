"""The charts of the plant at work: a thread reads what was stored and judges it, and keeps the limits of phase I."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from shopfloor.plant import Asset, Batch, Kind, Reader, ShopfloorError, StoreError, Tag
from shopfloor.plant.config import ChartSection, PlantConfig
from shopfloor.services.alarms.alarm import Condition
from shopfloor.services.quality.kept import KeptLimits, Revision
from shopfloor.services.quality.limits import phase_one
from shopfloor.services.quality.process import Process
from shopfloor.services.quality.words import condition, designed

TICK_S: Final = 0.5
SETTLE_NS: Final = 1_000_000_000
"""Values of several tags that belong together may be stored one after the other: so old they are complete."""
AGAIN_NS: Final = 2_000_000_000
"""How long values that came late are gathered before a chart is made anew."""
FEWEST: Final = 8
"""Subgroups that limits are made anew of, at least; 20 to 25 are usual (ISO 7870-2)."""
_LOG: Final = logging.getLogger(__name__)


class ChartRefused(ShopfloorError, ValueError):  # noqa: N818 (an answer)
    """Limits that cannot be made anew, and why."""


@dataclass
class Chart:
    """A chart of one asset. `read` is how far it has read; `due` and `again` when it must read on, or anew (UTC ns)."""

    name: str
    asset: Asset
    section: ChartSection
    tag: Tag
    process: Process
    read: int = 0
    since: int = 0
    due: int | None = None
    again: int | None = 0
    kept: bool = False
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def key(self) -> str:
        """Its name among all charts, the same after a restart."""
        return f"{self.asset.path}:{self.name}"

    @property
    def loaded(self) -> bool:
        """Whether the history was read."""
        return self.read > 0


class Charts:
    """All charts. `ready` says when the history is complete; limits are not made before."""

    def __init__(
        self, config: PlantConfig, reader: Reader, folder: Path, clock: Callable[[], int], ready: Callable[[], bool]
    ) -> None:
        self._reader, self._clock, self._ready = reader, clock, ready
        self._kept = KeptLimits(folder)
        self.charts: dict[tuple[str, str], Chart] = {
            (str(asset.path), name): _chart(config, asset, name, section)
            for asset in config.assets
            for name, section in config.types[asset.type].charts.items()
        }
        self._of: dict[str, list[Chart]] = {}
        for chart in self.charts.values():
            for path in chart.process.rows.paths:
                self._of.setdefault(path, []).append(chart)
        self._queue: queue.SimpleQueue[tuple[str, int, int] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="quality", daemon=True)
        self._stopping = threading.Event()
        self._said = ""

    def start(self) -> None:
        """Begin to judge, in a thread; without charts there is nothing to do."""
        if self.charts:
            self._thread.start()

    def stop(self) -> None:
        """End it."""
        self._stopping.set()
        self._queue.put(None)
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def watch(self, batch: Batch) -> None:
        """Note which charts a stored batch concerns; cheap, from any thread."""
        if batch.kind is Kind.TEXT or self._of.keys().isdisjoint(batch.names):
            return
        for number, name in enumerate(batch.names):
            if name in self._of:
                time = batch.time[batch.tag == number]
                if len(time):
                    self._queue.put((name, int(time.min()), int(time.max())))

    def standing(self) -> tuple[Mapping[str, Condition], Collection[str]]:
        """The signals that hold now on charts with alarms, and the keys of those of which nothing is known yet."""
        present, unknown = {}, set()
        for chart in self.charts.values():
            if not chart.section.alarm:
                continue
            key = f"quality:{chart.key}"
            if not chart.loaded:
                unknown.add(key)
            elif found := self._signal(chart, key):
                present[key] = found
        return present, unknown

    def designed(self) -> Iterator[Condition]:
        """What charts with alarms can raise."""
        for chart in self.charts.values():
            if chart.section.alarm:
                yield designed(f"quality:{chart.key}", chart.asset, chart.section, chart.tag)

    def past(self, chart: Chart, start: int, end: int) -> Process:
        """The chart over any stored time, with the limits of that time: what lies before `start` is not known."""
        limits = self._kept.get(chart.key, chart.section) or chart.process.limits
        process = Process(chart.section, str(chart.asset.path), limits, self.revisions(chart))
        process.add(self._reader.read(process.rows.paths, start, end, previous=True), start)
        process.flush(min(end, self._clock()))
        return process

    def revisions(self, chart: Chart) -> list[Revision]:
        """How the limits of a chart were made anew, in the order of the decisions."""
        return self._kept.revisions(chart.key, chart.section)

    def renew(self, chart: Chart, start: int, end: int, by: str, why: str) -> Revision:
        """Make the limits anew of the subgroups in [start, end) (UTC ns): they hold from the first of these on."""
        if chart.section.centre is not None:
            raise ChartRefused(f"The limits of {chart.name} are given in the plant file: change 'centre' there.")
        if not chart.kept:
            raise ChartRefused(f"The chart {chart.name} still learns its first limits: wait until it has them.")
        with chart.lock:
            process = chart.process if start >= chart.since else self.past(chart, start, end)
            groups = process.groups()
            found = None if groups is None else groups.between(start, end)
        if found is None or len(found) < FEWEST:
            n = 0 if found is None else len(found)
            raise ChartRefused(f"There are {n} subgroups in that time: choose one with at least {FEWEST}.")
        made = phase_one(chart.section.chart, found)
        revision = Revision(int(found.time[0]), made, by, why, self._clock())
        self._kept.revise(chart.key, chart.section, revision)
        chart.again = self._clock()
        return revision

    def _signal(self, chart: Chart, key: str) -> Condition | None:
        with chart.lock:
            points = chart.process.points()
            if points is None or not points.broken[-1].any():
                return None
            return condition(key, chart.asset, chart.section, chart.tag, chart.process.signals, points)

    def _run(self) -> None:
        while not self._ready():
            if self._stopping.wait(TICK_S):
                return
        while not self._stopping.wait(TICK_S):
            self._heard()
            now = self._clock()
            for chart in self.charts.values():
                if self._stopping.is_set():
                    return
                with self._told(chart):
                    self._turn(chart, now)

    def _heard(self) -> None:
        """Which charts must read what was stored; what is older than what they read makes them begin anew."""
        while not self._queue.empty():
            said = self._queue.get()
            for chart in self._of.get(said[0], ()) if said else ():
                _, first, last = said or ("", 0, 0)
                if chart.loaded and first < chart.read:
                    chart.again = chart.again or self._clock() + AGAIN_NS
                if last >= chart.read:
                    chart.due = min(first, chart.due or first)

    def _turn(self, chart: Chart, now: int) -> None:
        if chart.again is not None and chart.again <= now:
            self._begin(chart, now - SETTLE_NS)
        elif chart.due is not None and chart.due < now - SETTLE_NS:
            self._go_on(chart, now - SETTLE_NS)
        with chart.lock:
            chart.process.flush(now)
        self._keep(chart)

    def _begin(self, chart: Chart, end: int) -> None:
        """Read the whole history that the chart looks back on."""
        start = end - round(chart.section.lookback * 1e9)
        process = Process(
            chart.section, str(chart.asset.path), self._kept.get(chart.key, chart.section), self.revisions(chart)
        )
        process.add(self._reader.read(process.rows.paths, start, end, previous=True), start)
        with chart.lock:
            chart.process, chart.read, chart.since, chart.again = process, end, start, None

    def _go_on(self, chart: Chart, end: int) -> None:
        """Read what was stored since."""
        table = self._reader.read(chart.process.rows.paths, chart.read, end)
        with chart.lock:
            chart.process.add(table)
            chart.read, chart.due = end, None

    def _keep(self, chart: Chart) -> None:
        """Limits of phase I are written once, when they are made."""
        limits = chart.process.limits
        if chart.kept or limits is None:
            return
        if limits.subgroups and self._kept.get(chart.key, chart.section) is None:
            self._kept.put(chart.key, chart.section, limits)
        chart.kept = True

    @contextmanager
    def _told(self, chart: Chart) -> Iterator[None]:
        """A store that cannot be read now is asked again; its log says so once."""
        try:
            yield
        except StoreError as problem:
            chart.again = self._clock() + AGAIN_NS
            if str(problem) != self._said:
                _LOG.error("The chart %s waits: %s", chart.key, problem)
            self._said = str(problem)


def _chart(config: PlantConfig, asset: Asset, name: str, section: ChartSection) -> Chart:
    tag = config.tag(f"{asset.path}/{section.tag}")
    assert tag is not None  # noqa: S101 (the plant file was checked)
    return Chart(name, asset, section, tag, Process(section, str(asset.path)))
