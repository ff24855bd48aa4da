"""The watcher: a thread keeps the downtime records true to the stored states."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Final

from shopfloor.plant import Batch, Kind, Reader, StoreError
from shopfloor.services.historian.options import DAY, NS
from shopfloor.services.production.circumstances import Noted
from shopfloor.services.production.machine import Machine
from shopfloor.services.production.stops import found_stops, reconcile
from shopfloor.services.production.store import ProductionStore
from shopfloor.services.production.visits import RUNNING, Visits

TICK_S: Final = 1.0
LOOKBACK: Final = 14 * DAY
"""How much history is looked at where a machine has no records yet."""
_LOG: Final = logging.getLogger(__name__)


class Watcher:
    """Follows the state tags of all machines. `noted` says what is known of a machine at a moment (UTC ns)."""

    def __init__(
        self, machines: Mapping[str, Machine], reader: Reader, store: ProductionStore, clock: Callable[[], int],
        noted: Noted,
    ) -> None:  # fmt: skip
        self._machines, self._reader, self._store, self._clock, self._noted = machines, reader, store, clock, noted
        self._of = {machine.tag(machine.production.state): path for path, machine in machines.items()}
        self._lock = threading.Lock()
        self._touched: dict[str, int] = {}
        self._due: dict[str, int] = dict.fromkeys(machines, 0)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="production", daemon=True)
        self._said = ""

    def start(self) -> None:
        """Begin, in a thread; without machines there is nothing to do."""
        if self._machines:
            self._thread.start()

    def stop(self) -> None:
        """End it."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def watch(self, batch: Batch) -> None:
        """Note which machines a stored batch concerns; cheap, from any thread."""
        if batch.kind is not Kind.TEXT or self._of.keys().isdisjoint(batch.names):
            return
        for number, name in enumerate(batch.names):
            times = batch.time[batch.tag == number] if name in self._of else ()
            if len(times):
                with self._lock:
                    path, first = self._of[name], int(min(times))
                    self._touched[path] = min(self._touched.get(path, first), first)

    def turn(self) -> int:
        """Look once at every machine that is due; answers how many records were written."""
        now = self._clock()
        with self._lock:
            touched, self._touched = self._touched, {}
        due = {path for path, moment in self._due.items() if moment <= now} | touched.keys()
        return sum(self._look(self._machines[path], touched.get(path, now), now) for path in sorted(due))

    def _look(self, machine: Machine, first: int, now: int) -> int:
        since = self._since(machine, first, now)
        found = machine.visits(self._reader, since, now, now)
        with self._store.together():
            noted = lambda moment: self._noted(machine.path, moment)  # noqa: E731 (bound to this machine)
            stops = [stop for stop in found_stops(machine, found, now) if stop.end is None or stop.end > since]
            written = reconcile(self._store, machine.path, stops, since, now, noted)
        self._due[machine.path] = _due(machine, found, now, fresh=first < now)
        return written

    def _since(self, machine: Machine, first: int, now: int) -> int:
        """From before what is new, and from before the record that was open then."""
        newest = self._store.newest(machine.path)
        margin = round((machine.production.minor_stop + machine.production.loading) * NS) + NS
        if newest is None:
            return min(first, now - LOOKBACK)
        if not self._due[machine.path]:  # the first look: a stop may have begun before the server was away
            first = min(first, newest)
        touching = self._store.stops(min(first, newest) - margin, now, machine.path)
        return min([first, *(stop.start for stop in touching if stop.end is None or stop.start >= first)]) - margin

    def _run(self) -> None:
        while not self._stopping.wait(TICK_S):
            try:
                self.turn()
                self._said = ""
            except StoreError as problem:
                if str(problem) != self._said:
                    _LOG.warning("Downtime is not recorded now: %s", problem)
                self._said = str(problem)


def _due(machine: Machine, found: Visits, now: int, *, fresh: bool) -> int:
    """When to look again although nothing comes: a stop grows too long to be a minor one, or its state too old.

    An idle time that has just begun looks like loading: soon after something `fresh` came it is looked at again.
    """
    section = machine.production
    if found.code[-1] != RUNNING:
        seconds = section.minor_stop / 8
    else:
        seconds = section.loading + 1 if fresh else section.hold or section.minor_stop * 10
    return now + round(seconds * NS)
