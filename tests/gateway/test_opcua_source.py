"""The OPC UA source: decoding, kinds of bad values, silence, gaps, security, browsing."""

import asyncio
import struct
from argparse import Namespace
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from asyncua import ua
from asyncua.ua.ua_binary import struct_to_binary
from shopfloor.gateway import browse
from shopfloor.gateway.opcua import OpcuaOptions, OpcuaSource, publish
from shopfloor.gateway.opcua.columns import Columns
from shopfloor.gateway.opcua.items import Item
from shopfloor.gateway.opcua.leaves import leaves
from shopfloor.gateway.opcua.values import read_changes
from shopfloor.gateway.opcua.wire import Notification
from shopfloor.plant import SourceLost

ASSET = "delta/frames/machining/cell-a/cnc-01"
MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
NS = 1_767_323_045_678_901_000
TICKS = 116_444_736_000_000_000
SCALARS = [
    (True, "Boolean"), (-5, "SByte"), (200, "Byte"), (-30000, "Int16"), (60000, "UInt16"), (-(2**31), "Int32"),
    (2**32 - 1, "UInt32"), (-(2**63), "Int64"), (2**63 - 1, "UInt64"), (0.5, "Float"), (1e300, "Double"),
    ("Grüße 铝", "String"), ("", "String"),
]  # fmt: skip


def options(port: int, **more: Any) -> OpcuaOptions:
    base = {
        "url": f"opc.tcp://127.0.0.1:{port}/shopfloor/",
        "security": "none",
        "publishing_interval": "50ms",
        "assets": {"Machines/CNC-01": ASSET},
        "tags": {"Spindle/Load": "load"},
    }
    return OpcuaOptions.model_validate(base | more)


def notification(values: list[ua.DataValue]) -> bytes:
    items = []
    for handle, value in enumerate(values):
        item = ua.MonitoredItemNotification()
        item.ClientHandle, item.Value = handle, value
        items.append(item)
    message = ua.DataChangeNotification()
    message.MonitoredItems = items
    return struct_to_binary(message)


@pytest.mark.parametrize(("value", "kind"), SCALARS)
@pytest.mark.parametrize("times", ["both", "source", "server", "none"])
def test_scalars_are_decoded_as_asyncua_encodes_them(value: Any, kind: str, times: str) -> None:
    data = ua.DataValue(
        ua.Variant(value, getattr(ua.VariantType, kind)),
        ua.StatusCode(0x40000000),
        SourceTimestamp=MOMENT if times in {"both", "source"} else None,
        ServerTimestamp=MOMENT if times in {"both", "server"} else None,
    )
    first, second = read_changes(notification([data, data]))
    assert first[1:] == second[1:]
    assert (first[0], second[0]) == (0, 1)
    assert first[1:] == (value, 0x40000000, 0 if times == "none" else NS)


def test_ticks_of_100_ns_and_picoseconds_are_kept() -> None:
    ticks = TICKS + 12_345_678_901_234_567
    one = struct.pack("<IBBdq", 9, 0x05, 11, 2.5, ticks)
    two = struct.pack("<IBBdqH", 9, 0x15, 11, 2.5, ticks, 4_299)
    three = struct.pack("<IBBdqHq", 9, 0x1D, 11, 2.5, ticks, 65_535, 0)
    body = struct.pack("<i", 3) + one + two + three
    assert read_changes(body) == [(9, 2.5, 0, 1_234_567_890_123_456_700 + ns) for ns in (0, 42, 99)]


def test_values_beyond_int64_become_floats() -> None:
    value = ua.DataValue(ua.Variant(2**64 - 1, ua.VariantType.UInt64))
    assert read_changes(notification([value]))[0][1] == float(2**64 - 1)


def test_arrays_structures_and_texts_become_leaves() -> None:
    assert list(leaves("t", ua.Variant([[1, 2], [3, 4]]))) == [
        ("t[0][0]", 1), ("t[0][1]", 2), ("t[1][0]", 3), ("t[1][1]", 4)
    ]  # fmt: skip
    assert dict(leaves("t", ua.Range(1.0, 2.0))) == {"t.Low": 1.0, "t.High": 2.0}
    assert list(leaves("t", ua.LocalizedText("Tür"))) == [("t", "Tür")]
    assert list(leaves("t", MOMENT)) == [("t", "2026-01-02T03:04:05.678901+00:00")]
    assert list(leaves("t", ua.NodeClass.Variable)) == [("t", 2)]


def test_a_value_without_content_keeps_the_kind_and_the_shape() -> None:
    items = {
        1: Item(ua.NodeId(1), "a/float", float),
        2: Item(ua.NodeId(2), "a/text", str),
        3: Item(ua.NodeId(3), "a/list"),
    }
    columns = Columns(items)
    bad = 0x80310000
    first = struct.pack("<iIBBiii", 1, 3, 0x01, 0x80 | 6, 2, 1, 2)
    second = struct.pack("<iIBIqIBIqIBI", 3, 1, 0x06, bad, TICKS + 6, 2, 0x0A, bad, TICKS + 7, 3, 0x02, bad)
    list(columns.batches([first], 99))
    rows = {s.tag: (str(s.value), s.time, s.quality) for batch in columns.batches([second], 99) for s in batch}
    assert rows == {
        "a/float": ("nan", 600, bad),
        "a/text": ("", 700, bad),
        "a/list[0]": ("0", 99, bad),
        "a/list[1]": ("0", 99, bad),
    }


async def test_a_missed_notification_is_asked_for_again() -> None:
    asked: list[int] = []

    class Lossy(publish.Publisher):
        async def _republish(self, subscription: int, sequence: int) -> Notification | None:
            asked.append(sequence)
            return Notification(subscription, sequence, keep_alive=False)

    publisher = Lossy("opc.tcp://x", None, [])
    publisher.following[7] = 1
    for sequence in (1, 2, 5):
        publisher._receive(Notification(7, sequence, keep_alive=False))
    publisher._receive(Notification(7, 6, keep_alive=True))
    assert [one.sequence for one in await publisher.take()] == [1, 2, 3, 4, 5]
    assert asked == [3, 4]


class Proxy:
    """A TCP link that can fall silent without being closed."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.silent = False
        self.writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> "Proxy":
        self.server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()
        for writer in self.writers:
            writer.close()
        await asyncio.sleep(0.05)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        self.writers += [writer, far_writer]
        with suppress(OSError):
            await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if not self.silent:
                writer.write(data)
                await writer.drain()
        writer.close()


async def test_a_link_that_falls_silent_is_noticed(
    machine_server: Callable[..., Any], port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shopfloor.gateway.opcua.subscribe._KEEP_ALIVE_S", 0.2)
    monkeypatch.setattr("shopfloor.gateway.opcua.publish._GRACE_S", 0.5)
    async with (
        machine_server(port, {"Spindle/Load": 0.0}),
        Proxy(port) as proxy,
        OpcuaSource("m", options(proxy.port)).open() as batches,
    ):
        await anext(batches)
        proxy.silent = True
        with pytest.raises(SourceLost, match=r"is connected but has sent nothing for \d+ s\."):
            await anext(batches)


async def test_what_the_server_lacks_is_said(machine_server: Callable[..., Any], port: int) -> None:
    async with machine_server(port, {"Spindle/Load": 0.5}) as server:
        source = OpcuaSource("m", options(port, tags={"Spindle/Load": "load", "Spindle/Lode": "lode"}))
        async with source.open() as batches:
            assert [sample.tag for sample in await anext(batches)] == [f"{ASSET}/load"]
        every = OpcuaSource("m", options(port, trigger="timestamp"))
        async with every.open() as batches, asyncio.timeout(20):
            for _ in range(3):
                await server.test_nodes["Spindle/Load"].write_value(0.5)
            seen = 0
            while seen < 3:
                seen += len(await anext(batches))
        assert source.detail == "1 variable is not there, the first is Machines/CNC-01/Spindle/Lode."
        with pytest.raises(SourceLost, match="has none of the variables"):
            async with OpcuaSource("m", options(port, tags={"No": "no"})).open():
                pass
        for node, sentence in {"ns=2;s=None.Such": "accepts none of 1 variable: ", "x=!": "is no NodeId"}.items():
            one = options(port, assets={}, tags={}, nodes=[{"node": node, "tag": f"{ASSET}/x"}])
            with pytest.raises(SourceLost, match=sentence):
                async with OpcuaSource("m", one).open():
                    pass


async def test_security_is_never_less_than_asked_for(
    machine_server: Callable[..., Any], port: int, tmp_path: Path
) -> None:
    more = {
        "security": "Basic256Sha256",
        "certificate": str(tmp_path / "c.der"),
        "private_key": str(tmp_path / "k.pem"),
    }
    async with machine_server(port, {"Spindle/Load": 0.0}):
        with pytest.raises(SourceLost, match=r"does not offer the security Basic256Sha256; it offers none: choose"):
            async with OpcuaSource("m", options(port, **more)).open():
                pass


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"certificate": "c.der"}, "'certificate' and 'private_key' belong together"),
        ({"url": "opc.tcp://anna:geheim@plc"}, "'url' holds a user name: give 'user'"),
        ({"user_key": "k.pem"}, "'user_certificate' and 'user_key' belong together"),
        ({"user": "u", "user_certificate": "c", "user_key": "k"}, "give one of them"),
        ({"assets": {}, "tags": {}}, "names no variables"),
        ({"tags": {}}, "belong together"),
        ({"assets": {"M/C-[1..3]": "delta/a/b/c/d-[1..2]"}}, "count differently"),
        ({"url": "http://127.0.0.1"}, "begins with no known scheme"),
    ],
)
def test_impossible_options(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        options(4840, **change)


def test_security_must_be_said() -> None:
    with pytest.raises(ValueError, match="security"):
        OpcuaOptions.model_validate({"url": "opc.tcp://h:1", "everything": ASSET})


async def test_browse_shows_the_tree_with_values(
    machine_server: Callable[..., Any], port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = Namespace(url=f"opc.tcp://127.0.0.1:{port}/shopfloor/", depth=10, values=True, seconds=1.0, yaml=None)
    async with machine_server(port, {"Spindle/Load": 12.5, "State": "IDLE"}):
        assert await asyncio.to_thread(browse.run, arguments) == 0
    shown = capsys.readouterr().out.splitlines()
    assert any(line.startswith("Machines  ns=2") for line in shown)
    assert any(line.startswith("      Load  ") and line.endswith(" = 12.5") for line in shown)
    assert await asyncio.to_thread(browse.run, arguments) == 2
    problem = capsys.readouterr().err.strip().splitlines()
    assert len(problem) == 1
    assert problem[0].startswith("Nothing listens at opc.tcp://")


@pytest.mark.parametrize("url", ["opc.tcp://", "opc.tcp://h:abc", "opc.tcp://h:99999", "mqtt://h:99999", "mqtt://"])
def test_browse_of_an_address_that_is_none_is_one_sentence(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert browse.run(Namespace(url=url, depth=1, values=False, seconds=1.0, yaml=None)) == 2
    said = capsys.readouterr().err
    assert said.endswith(
        ": write it as mqtt://host:port.\n" if "mqtt" in url else ": write it as opc.tcp://host:port.\n"
    )
    assert len(said.splitlines()) == 1


def test_browse_refuses_what_it_does_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    assert browse.run(Namespace(url="http://x", depth=1, values=False, seconds=1.0, yaml=None)) == 2
    assert "cannot be browsed: write opc.tcp://" in capsys.readouterr().err
