"""The gateway as a whole: wires sources, spool, server, errands and sinks, and follows its configuration."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from shopfloor.gateway import picking
from shopfloor.gateway.connections import Connections, Signature
from shopfloor.gateway.door import Audit, Door
from shopfloor.gateway.errands import Errands, Handler, answering, configuring, examining, page_files, trusting, writing
from shopfloor.gateway.forward import Forwarder
from shopfloor.gateway.health import Health, Tap, report
from shopfloor.gateway.server import Server, Token
from shopfloor.gateway.sources import Sources, check
from shopfloor.gateway.spool import Committer, Spool
from shopfloor.plant import ShopfloorError
from shopfloor.plant.config import PlantConfig
from shopfloor.plant.contracts import Outcome, Setpoint

_logger = logging.getLogger(__name__)
_LOOK_S: Final = 1.0


@dataclass(slots=True)
class Configuration:
    """The configuration in force. `sentence` says why a newer one is not, and is empty when all is well."""

    connections: Connections
    sources: Sources
    plant: PlantConfig
    sentence: str = ""
    loaded: int = field(default_factory=time.time_ns)
    _seen: Signature = ()

    async def follow(self) -> None:
        """Apply the files now and whenever one of them changes, until cancelled."""
        await self.sources.apply(self.plant)
        self._seen = self.connections.signature()
        while True:
            await asyncio.sleep(_LOOK_S)
            if await asyncio.to_thread(self.connections.signature) != self._seen:
                await self.reload()

    async def reload(self) -> None:
        """Take up what the files say now; a mistake in them leaves everything as it is and is said."""
        self._seen = await asyncio.to_thread(self.connections.signature)
        try:
            plant = await asyncio.to_thread(self.connections.load)
            change = await self.sources.apply(plant)
        except ShopfloorError as problem:
            self._say(f"The changed configuration is not used: {problem}")
            return
        fixed = "" if plant.gateway == self.plant.gateway else _RESTART
        self.plant, self.loaded = plant, time.time_ns()
        self._say(" ".join([*self.sources.refused.values(), *([fixed] if fixed else [])]))
        _logger.warning(
            "The configuration was read again: %d sources added, %d changed, %d removed.",
            len(change.adds), len(change.changes), len(change.removes),
        )  # fmt: skip

    def report(self) -> dict[str, Any]:
        """How the configuration stands; `loaded` in ms since 1970."""
        return {"sentence": self.sentence, "loaded": self.loaded / 1e6}

    def _say(self, sentence: str) -> None:
        if sentence and sentence != self.sentence:
            _logger.warning("%s", sentence)
        self.sentence = sentence


_RESTART: Final = "Something below 'gateway' has changed: restart the gateway to use it."


async def serve(
    plant_file: Path, data: Path, url: str | None, token_file: Path | None, ready: Callable[[str], None]
) -> None:
    """Run the gateway of a plant file until SIGINT or SIGTERM; `ready` is told its id."""
    stop = _told_to_stop()
    connections = Connections(plant_file, data)
    plant = connections.load()
    check(plant)
    section = plant.gateway
    file = token_file or (Path(section.token_file) if section.token_file else None)
    with (
        Spool.open(data, section.name, section.spool.limit, section.spool.when_full) as spool,
        Audit.open(data) as audit,
    ):
        committer = Committer(spool)

        async def command(setpoint: Setpoint) -> Outcome:
            return await door.apply(setpoint, by="sparkplug", reason="a command of a host application")

        sinks = _sinks(plant, data, command)
        sources = Sources(committer, data, tuple(sink.tap for sink in sinks.values()))
        configuration = Configuration(connections, sources, plant)
        async with Server.open(url or section.server, Token(file)) as server, committer.running():
            forwarder = Forwarder(spool, server, committer.committed)
            health = Health(section.name, spool, forwarder, sources, configuration.report, sinks)
            door = Door(lambda: configuration.plant, lambda: writing.ways(configuration.plant, sources.source), audit)
            errands = Errands(spool, server, _handlers(configuration, sources, door, data))
            ready(spool.id)
            await _until(
                stop,
                sources.run(),
                configuration.follow(),
                forwarder.run(),
                report(health, server),
                errands.run(),
                *(sink.run() for sink in sinks.values()),
            )
            await door.settle()


def _sinks(plant: PlantConfig, data: Path, command: Callable[[Setpoint], Awaitable[Outcome]]) -> dict[str, Tap]:
    """Where committed values go besides the server; `command` judges what comes back from there."""
    sinks: dict[str, Tap] = {}
    if plant.gateway.uns is not None:
        from shopfloor.gateway.uns import Namespace

        sinks["uns"] = Namespace(plant.gateway.uns, plant.gateway.name, plant)
    if plant.gateway.sparkplug is not None:
        from shopfloor.gateway.sparkplug.edge import EdgeNode
        from shopfloor.gateway.sparkplug.metrics import Metrics

        metrics = Metrics.of(plant, plant.tag_paths())
        write = command if plant.gateway.sparkplug.commands else None
        sinks["sparkplug"] = EdgeNode(plant.gateway.sparkplug, plant.gateway.name, data, metrics, write)
    return sinks


def _handlers(configuration: Configuration, sources: Sources, door: Door, data: Path) -> dict[str, Handler]:
    """What people may ask of a gateway."""

    def on_folder(call: Callable[[dict[str, Any], Path], AsyncGenerator[dict[str, Any], None]]) -> Handler:
        return lambda body: call(body, data)

    def guarded(handler: Handler) -> Handler:
        async def parts(body: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
            given = body.get("options")
            page_files.check(given if isinstance(given, dict) else {}, data)
            async with aclosing(handler(body)) as found:
                async for part in found:
                    yield part

        return parts

    handlers = {
        **configuring.handlers(configuration),
        **examining.handlers(lambda: configuration.plant, data),
        **trusting.handlers(data),
        **writing.handlers(door),
        **answering.handlers(door, sources.source),
        **{kind: on_folder(call) for kind, call in picking.CALLS.items()},
    }
    return {kind: guarded(handler) for kind, handler in handlers.items()}


def _told_to_stop() -> asyncio.Event:
    """Set by SIGINT and SIGTERM from now on."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def _until(stop: asyncio.Event, *work: Coroutine[Any, Any, None]) -> None:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one) for one in work]
        await stop.wait()
        for task in tasks:
            task.cancel()
