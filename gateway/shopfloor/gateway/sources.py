"""The running sources of a gateway, and how they become others without losing a value.

A source that is unchanged goes on untouched. One that changed is replaced: where its kind can be connected twice
(`overlaps`), the old one goes on until it has delivered all that came before the new one did, and what both deliver is
stored once; otherwise the device or broker keeps what comes in between (an MQTT session, say).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from shopfloor.gateway.conform import Conform
from shopfloor.gateway.pipeline import Feed
from shopfloor.gateway.registry import connector
from shopfloor.gateway.spool import Committer
from shopfloor.gateway.state import SourceState, State
from shopfloor.plant import Batch, Source, SourceLost
from shopfloor.plant.config import PlantConfig, SourceConfig, check_options, options

_logger = logging.getLogger(__name__)
_PATIENCE_S: Final = 30.0
_FIRST_VALUE_S: Final = 10.0
_CATCH_UP_S: Final = 60.0
_AGAIN_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Difference:
    """What a new configuration changes, by the names of sources."""

    adds: tuple[str, ...]
    changes: tuple[str, ...]
    removes: tuple[str, ...]
    keeps: tuple[str, ...]


def difference(old: Iterable[SourceConfig], new: Iterable[SourceConfig]) -> Difference:
    """Compare two sets of sources by what they say, not by where they stand."""
    before = {source.name: (source.kind, source.given) for source in old}
    after = {source.name: (source.kind, source.given) for source in new}
    both = [name for name in after if name in before]
    return Difference(
        adds=tuple(name for name in after if name not in before),
        changes=tuple(name for name in both if before[name] != after[name]),
        removes=tuple(name for name in before if name not in after),
        keeps=tuple(name for name in both if before[name] == after[name]),
    )


def check(config: PlantConfig) -> None:
    """Look at the options of every source; `ConfigError` has a line for each problem."""
    check_options(config, {source.kind: connector(source.kind).options for source in config.sources})


@dataclass(slots=True)
class _Running:
    config: SourceConfig
    feed: Feed
    task: asyncio.Task[None]


@dataclass(slots=True)
class Sources:
    """Feeds by the names of their sources. `refused` says which new source could not take over, and why."""

    committer: Committer
    folder: Path
    taps: tuple[Callable[[Batch], None], ...] = ()
    refused: dict[str, str] = field(default_factory=dict)
    _running: dict[str, _Running] = field(default_factory=dict)
    _failed: asyncio.Event = field(default_factory=asyncio.Event)
    _leaving: set[asyncio.Task[None]] = field(default_factory=set)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def feeds(self) -> list[Feed]:
        """Every feed, in the order of the configuration."""
        return [running.feed for running in self._running.values()]

    def source(self, name: str) -> Source | None:
        """The running source of that name."""
        running = self._running.get(name)
        return running.feed.source if running else None

    async def run(self) -> None:
        """Until cancelled; then every source ends. A bug in one connector ends the gateway."""
        try:
            await self._failed.wait()
            for running in self._running.values():
                if running.task.done() and not running.task.cancelled():
                    await running.task
        finally:
            await _end([*self._leaving, *(running.task for running in self._running.values())])

    async def apply(self, config: PlantConfig) -> Difference:
        """Become what the configuration says; a `ConfigError` changes nothing."""
        made = {source.name: self._build(source, config) for source in config.sources}
        async with self._lock:
            change = difference((running.config for running in self._running.values()), config.sources)
            self.refused.clear()
            await _end([_retired(self._running.pop(name)) for name in change.removes])
            for name in change.keeps:
                self._running[name].feed.conform = Conform(config)
            wanted = {source.name: source for source in config.sources}
            for name in change.adds:
                self._start(wanted[name], made[name], resume=True)
            await asyncio.gather(*(self._replace(wanted[name], made[name]) for name in change.changes))
            self._running = {name: self._running[name] for name in wanted}
        return change

    def _build(self, source: SourceConfig, config: PlantConfig) -> Feed:
        kind = connector(source.kind)
        made = kind.build(source.name, options(source, kind.options), config, self.folder)
        state = SourceState(source.name, source.kind, getattr(made, "url", ""))
        return Feed(made, state, self.committer, Conform(config), taps=self.taps)

    def _start(self, source: SourceConfig, feed: Feed, *, resume: bool) -> None:
        if resume and (marks := getattr(feed.source, "marks", None)):
            marks.restore(self.committer.spool.marks(source.name))
        self._running[source.name] = _Running(source, feed, self._task(feed))

    def _task(self, feed: Feed) -> asyncio.Task[None]:
        task = asyncio.create_task(feed.run(), name=f"source {feed.state.name}")
        task.add_done_callback(self._watch)
        return task

    def _watch(self, task: asyncio.Task[Any]) -> None:
        if not task.cancelled() and task.exception() is not None:
            self._failed.set()

    async def _replace(self, source: SourceConfig, feed: Feed) -> None:
        old = self._running[source.name]
        if not getattr(feed.source, "overlaps", False):
            await _end([_retired(old)])
            self._start(source, feed, resume=True)
            return
        self._start(source, feed, resume=False)
        sentence = await _delivers(feed)
        if sentence:
            await _end([_retired(self._running[source.name])])
            self._running[source.name] = old
            self.refused[source.name] = f"The new configuration of {source.name} cannot take over: {sentence}"
        else:
            leaving = asyncio.create_task(_leave(old), name=f"leave {source.name}")
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)


async def _leave(old: _Running) -> None:
    """End a source that another one has replaced once it has delivered all that came before that one."""
    try:
        if caught_up := getattr(old.feed.source, "caught_up", None):
            async with asyncio.timeout(_CATCH_UP_S):
                await _without_a_break(caught_up)
    except TimeoutError:
        _logger.warning("%s: not all that waited for the old configuration could be read.", old.config.name)
    finally:
        await _end([_retired(old)])


async def _without_a_break(caught_up: Callable[[], Awaitable[None]]) -> None:
    """Until it ends on one link: a lost one is made anew by the feed."""
    while True:
        with suppress(SourceLost):
            return await caught_up()
        await asyncio.sleep(_AGAIN_S)


def _retired(running: _Running) -> asyncio.Task[None]:
    """The task of a source that shall end for good; a source may give back what its device keeps for it."""
    if retire := getattr(running.feed.source, "retire", None):
        retire()
    return running.task


async def _delivers(feed: Feed) -> str:
    """Wait until a new feed has delivered (or has nothing to deliver); answers why it does not, or nothing."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _PATIENCE_S
    connected = 0.0
    while loop.time() < deadline:
        if feed.state.values:
            return ""
        if feed.state.state is State.CONNECTED:
            connected = connected or loop.time()
            if loop.time() - connected > _FIRST_VALUE_S:
                return ""
        await asyncio.sleep(0.05)
    return feed.state.detail or f"it is not connected after {_PATIENCE_S:g} s."


async def _end(tasks: Iterable[asyncio.Task[None]]) -> None:
    ending = list(tasks)
    for task in ending:
        task.cancel()
    if ending:
        await asyncio.wait(ending)
