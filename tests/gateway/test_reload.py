"""Configuration follows its files without losing a value; mistakes change nothing; pages keep connections as files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from modbus_device import modbus_device
from shopfloor.gateway.connections import Connections
from shopfloor.gateway.edge import Configuration
from shopfloor.gateway.errands import examining
from shopfloor.gateway.errands.configuring import handlers
from shopfloor.gateway.sources import Sources, difference
from shopfloor.gateway.spool import Committer, Spool
from shopfloor.gateway.state import State
from shopfloor.plant import Batch, ConfigError, Sample
from shopfloor.plant.config import load_sources

ASSET = "delta/frames/machining/cell-a/cnc-01"
PLANT = """
plant: {{site: delta}}
types: {{machine-tool: {{tags: {{load: {{unit: "%"}}}}}}}}
assets: [{{path: {asset}, type: machine-tool}}]
sources:
  - name: machining
    kind: opcua
    url: opc.tcp://127.0.0.1:{port}/shopfloor/
    security: none
    publishing_interval: {interval}
    queue: 1000
    assets: {{Machines/CNC-01: {asset}}}
    tags: {{{tags}}}
"""
PICKED = """\
sources:
  - name: picked
    kind: opcua
    url: opc.tcp://127.0.0.1:{port}/shopfloor/
    security: none
    nodes:
      - {{node: "ns=2;s=CNC-01.Spindle.Temperature", tag: {asset}/temperature}}
"""
PUMPS = """\
sources:
  - name: pumps
    kind: modbus
    url: modbus://127.0.0.1:{port}
    timeout: 2s
    groups:
      - {{every: 500ms, registers: [{{tag: {asset}/flow, table: input, address: 0}}]}}
"""


@pytest.fixture(autouse=True)
def _look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shopfloor.gateway.edge._LOOK_S", 0.1)


def write(folder: Path, port: int, tags: str = "Spindle/Load: load", interval: str = "50ms") -> Path:
    file = folder / "plant.yaml"
    file.write_text(PLANT.format(asset=ASSET, port=port, tags=tags, interval=interval))
    return file


@asynccontextmanager
async def following(plant_file: Path, data: Path) -> AsyncIterator[tuple[Configuration, Spool]]:
    """A gateway's configuration and sources at work, without a server."""
    connections = Connections(plant_file, data)
    plant = connections.load()
    with Spool.open(data, "edge-1") as spool:
        committer = Committer(spool)
        sources = Sources(committer, data)
        configuration = Configuration(connections, sources, plant)
        async with committer.running():
            tasks = [asyncio.create_task(configuration.follow()), asyncio.create_task(sources.run())]
            try:
                yield configuration, spool
            finally:
                for task in tasks:
                    task.cancel()
                    with suppress(asyncio.CancelledError):
                        await task


def spooled(spool: Spool) -> list[Sample]:
    rows = spool.peek(0, 100_000, 1_000_000_000)
    return [sample for row in rows for sample in Batch.from_bytes(row.data)]  # type: ignore[union-attr]


def of(spool: Spool, name: str) -> set[float]:
    return {float(sample.value) for sample in spooled(spool) if sample.tag == f"{ASSET}/{name}"}


async def until(condition: Callable[[], Any], seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def count(server: Any, stop: asyncio.Event) -> int:
    """Write 1, 2, 3 … to the machine until told to stop; answers the last number."""
    number = 0
    while not stop.is_set():
        number += 1
        await server.test_nodes["Spindle/Load"].write_value(float(number))
        await asyncio.sleep(0.01)
    return number


async def test_a_changed_source_takes_over_without_losing_a_value(
    tmp_path: Path, machine_server: Callable[..., Any], port: int
) -> None:
    async with machine_server(port, {"Spindle/Load": 0.0, "Spindle/Temperature": 21.5}) as server:
        plant_file = write(tmp_path, port)
        async with following(plant_file, tmp_path / "data") as (configuration, spool):
            await until(lambda: of(spool, "load"))
            stop = asyncio.Event()
            counting = asyncio.create_task(count(server, stop))
            for tags in ("Spindle/Load: load, Spindle/Temperature: temperature", "Spindle/Load: load"):
                before = configuration.loaded
                write(tmp_path, port, tags)
                await until(lambda before=before: configuration.loaded > before)
                assert configuration.sentence == ""
                await asyncio.sleep(0.5)
            stop.set()
            last = await counting
            await until(lambda: of(spool, "load") >= {float(n) for n in range(last + 1)})
            assert of(spool, "temperature") == {21.5}


async def test_what_waits_in_the_server_for_the_old_configuration_is_not_lost(
    tmp_path: Path, machine_server: Callable[..., Any], port: int
) -> None:
    async with machine_server(port, {"Spindle/Load": 0.0, "Spindle/Temperature": 21.5}) as server:
        plant_file = write(tmp_path, port, interval="3s")
        async with following(plant_file, tmp_path / "data") as (configuration, spool):
            await until(lambda: of(spool, "load"))
            stop = asyncio.Event()
            counting = asyncio.create_task(count(server, stop))
            before = configuration.loaded
            write(tmp_path, port)
            await until(lambda: configuration.loaded > before)
            stop.set()
            last = await counting
            await until(lambda: of(spool, "load") >= {float(n) for n in range(last + 1)})


async def test_an_unchanged_source_is_not_touched(
    tmp_path: Path, machine_server: Callable[..., Any], port: int
) -> None:
    async with machine_server(port, {"Spindle/Load": 0.0, "Spindle/Temperature": 21.5}):
        plant_file = write(tmp_path, port)
        async with following(plant_file, tmp_path / "data") as (configuration, spool):
            await until(lambda: of(spool, "load"))
            source = configuration.sources.source("machining")
            configuration.connections.save(PICKED.format(port=port, asset=ASSET))
            await until(lambda: of(spool, "temperature"))
            assert configuration.sources.source("machining") is source
            assert [feed.state.name for feed in configuration.sources.feeds] == ["machining", "picked"]
            configuration.connections.remove("picked")
            await until(lambda: len(configuration.sources.feeds) == 1)
            assert configuration.sources.source("machining") is source


async def test_a_mistake_changes_nothing(tmp_path: Path, machine_server: Callable[..., Any], port: int) -> None:
    async with machine_server(port, {"Spindle/Load": 0.0}):
        plant_file = write(tmp_path, port)
        async with following(plant_file, tmp_path / "data") as (configuration, spool):
            await until(lambda: of(spool, "load"))
            plant_file.write_text(plant_file.read_text().replace("security:", "secruity:"))
            await until(lambda: configuration.sentence)
            assert "The changed configuration is not used: " in configuration.sentence
            assert "did you mean 'security'?" in configuration.sentence
            assert configuration.sources.feeds[0].state.state is State.CONNECTED
            write(tmp_path, port)
            await until(lambda: not configuration.sentence)


async def test_a_source_that_cannot_take_over_leaves_the_old_one_at_work(
    tmp_path: Path, machine_server: Callable[..., Any], port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shopfloor.gateway.sources._PATIENCE_S", 1.0)
    async with machine_server(port, {"Spindle/Load": 0.0}) as server:
        plant_file = write(tmp_path, port)
        async with following(plant_file, tmp_path / "data") as (configuration, spool):
            await until(lambda: of(spool, "load"))
            write(tmp_path, 1)
            await until(lambda: configuration.sentence)
            assert configuration.sentence.startswith("The new configuration of machining cannot take over: Nothing ")
            await server.test_nodes["Spindle/Load"].write_value(77.0)
            await until(lambda: 77.0 in of(spool, "load"))


async def test_the_errands_of_the_connections_page(
    tmp_path: Path, machine_server: Callable[..., Any], port: int
) -> None:
    plant_file = write(tmp_path, port)
    async with machine_server(port, {"Spindle/Load": 0.0, "Spindle/Temperature": 21.5}):  # noqa: SIM117
        async with following(plant_file, tmp_path / "data") as (configuration, spool):
            call = handlers(configuration)
            await until(lambda: of(spool, "load"))

            async def ask(kind: str, **body: Any) -> dict[str, Any]:
                (part,) = [part async for part in call[kind](body)]
                return part

            text = PICKED.format(port=port, asset=ASSET)
            assert await ask("check", text=text) == {
                "ok": True, "name": "picked", "adds": 1, "changes": 0, "removes": 0, "keeps": 1,
                "tags": [f"{ASSET}/temperature"],
            }  # fmt: skip
            (problem,) = (await ask("check", text=text.replace("nodes:", "nods:")))["problems"]
            assert problem == "text:6:5: 'nods' is no key of source 'picked': did you mean 'nodes'?"
            (problem,) = (await ask("check", text=text.replace("picked", "machining")))["problems"]
            assert problem.startswith("The source 'machining' stands in plant.yaml: change it there")
            (problem,) = (await ask("check", text=f"{text}    writes: {{allow: ['*']}}\n"))["problems"]
            assert problem == "The source 'picked' has 'writes': what may be written is decided in plant.yaml."
            stolen = f"{text}    user: me\n    password_file: {tmp_path}/data/secrets/gateway.token\n"
            (problem,) = (await ask("check", text=stolen))["problems"]
            assert problem.startswith("'password_file' names ")
            assert f"a page may use files of {tmp_path}/data/files only" in problem
            allowed = stolen.replace("data/secrets/", "data/files/")
            assert (await ask("check", text=allowed))["ok"]
            escaped = stolen.replace("data/secrets/", "data/files/../secrets/")
            assert "problems" in await ask("check", text=escaped)
            saved = await ask("save", text=text)
            assert (saved["saved"], saved["sentence"]) == (True, "")
            assert (tmp_path / "data" / "connections" / "picked.yaml").read_text() == text
            await until(lambda: of(spool, "temperature"))
            shown = (await ask("connections"))["connections"]
            assert [(one["name"], one["origin"], one["editable"]) for one in shown] == [
                ("machining", "plant file", False), ("picked", "page", True),
            ]  # fmt: skip
            assert shown[1]["text"] == text
            (again,) = load_sources(shown[0]["text"], "text")
            assert again == configuration.plant.source("machining"), "what is shown says the same as the plant file"
            assert (await ask("remove", name="picked"))["removed"]
            assert [feed.state.name for feed in configuration.sources.feeds] == ["machining"]


async def test_a_connection_made_on_a_page_is_examined_with_its_durations(tmp_path: Path, port: int) -> None:
    connections = Connections(write(tmp_path, 1), tmp_path / "data")
    connections.save(PUMPS.format(port=port, asset=ASSET))
    examine = examining.handlers(connections.load, tmp_path / "data")["examine"]
    async with modbus_device(port) as device:
        device.words("input", 0, 7)
        findings = [part["finding"] async for part in examine({"source": "pumps"})]
    assert findings[-1]["sentence"] == f"Every register was read, and {ASSET}/flow is 7.0."


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda c: c.save("sources: []"), "'sources' is empty: at least 1 was expected"),
        (lambda c: c.save("x: 1"), "text:1:1: 'name' is missing in source 1: add 'name: …'"),
        (lambda c: c.save("[{name: a, kind: mqtt}, {name: b, kind: opc}]"), "'opc' is no kind of source in source 'b'"),
        (lambda c: c.save("7"), "text:1:1: '7' stands in the plant file: keys and values were expected."),
        (lambda c: c.remove("../plant"), "'../plant' cannot name a connection: use up to 63"),
        (lambda c: c.remove("machining"), "was not made on a page: take it out of plant.yaml"),
    ],
)
def test_refusals(tmp_path: Path, call: Callable[[Connections], Any], sentence: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        call(Connections(tmp_path / "plant.yaml", tmp_path))
    assert sentence in str(refusal.value)


def test_two_files_may_not_name_the_same_source(tmp_path: Path) -> None:
    connections = Connections(write(tmp_path, 4840), tmp_path)
    connections.save(PICKED.format(port=4840, asset=ASSET).replace("picked", "machining"))
    with pytest.raises(ConfigError, match=r"the source 'machining' stands in .*plant.yaml too: rename one"):
        connections.load()


def test_the_difference_is_in_what_sources_say() -> None:
    old = load_sources("sources: [{name: a, kind: mqtt, url: x}, {name: b, kind: mqtt}, {name: c, kind: mqtt}]", "1")
    moved = "sources: [{name: c, kind: mqtt, url: y}, {name: a, kind: mqtt, url: x}, {name: d, kind: mqtt}]"
    new = load_sources(moved, "2")
    change = difference(old, new)
    assert (change.adds, change.changes, change.removes, change.keeps) == (("d",), ("c",), ("b",), ("a",))
