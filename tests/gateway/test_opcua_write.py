"""Setpoints and methods over OPC UA."""

from collections.abc import Callable
from typing import Any

from asyncua import ua, uamethod
from shopfloor.gateway.door import Audit, Door, Way
from shopfloor.gateway.opcua import OpcuaOptions, OpcuaSource
from shopfloor.gateway.testing import check_actuator
from shopfloor.plant import quality
from shopfloor.plant.contracts import Setpoint

ASSET = "delta/frames/machining/cell-a/cnc-01"
METHODS = [
    {
        "tag": f"{ASSET}/reset",
        "object": "Machines/CNC-01",
        "method": "Reset",
        "arguments": [
            {"name": "hours", "type": "Int32", "range": [0, 100]},
            {"name": "factor", "type": "Float", "range": [0, 2]},
            {"name": "mode", "type": "String", "states": ["SOFT", "HARD"]},
        ],
    },
    {"tag": f"{ASSET}/absent", "object": "Machines/CNC-01", "method": "Nothing"},
    {"tag": f"{ASSET}/lost", "object": "Machines/CNC-99", "method": "Reset"},
]
TAGS = {name: name.lower() for name in ("Speed", "Small", "Count", "Huge", "Run", "Text", "Fixed", "List", "Level")}


def source(port: int, path: str = "shopfloor/", **more: Any) -> OpcuaSource:
    options = {
        "url": f"opc.tcp://127.0.0.1:{port}/{path}",
        "security": "none",
        "publishing_interval": "50ms",
        "assets": {"Machines/CNC-01": ASSET},
        "tags": TAGS,
        "methods": METHODS,
        "writes": {"allow": [f"{ASSET}/*"]},
    }
    return OpcuaSource("machining", OpcuaOptions.model_validate(options | more))


@uamethod  # type: ignore[untyped-decorator]
def reset(_parent: Any, hours: int, factor: float, mode: str) -> Any:
    if hours == 13:
        return ua.StatusCode(ua.StatusCodes.BadInvalidState)
    return ua.Variant(hours * 2, ua.VariantType.Int32), ua.Variant(f"{mode} {factor:.1f}", ua.VariantType.String)


async def build(server: Any, space: int, machine: Any) -> None:
    types = (ua.VariantType.Int32, ua.VariantType.Float, ua.VariantType.String)
    await machine.add_method(space, "Reset", reset, types, (ua.VariantType.Int32, ua.VariantType.String))
    for name, value in (
        ("Small", ua.Variant(1.5, ua.VariantType.Float)),
        ("Count", ua.Variant(7, ua.VariantType.Int16)),
    ):
        node = await machine.add_variable(ua.NodeId(name, space), ua.QualifiedName(name, space), value)
        await node.set_writable()
    huge = ua.Variant(1, ua.VariantType.UInt64)
    await (await machine.add_variable(ua.NodeId("Huge", space), ua.QualifiedName("Huge", space), huge)).set_writable()


VALUES = {"Speed": 180.0, "Run": False, "Text": "A", "Fixed": 1.0, "List": [1.0, 2.0], "Level": 0.0}


class OpcuaRig:
    taken = tuple(
        Setpoint(f"{ASSET}/{name}", value)
        for name, value in (
            ("run", 1.0),
            ("text", "B"),
            ("count", -4),
            ("huge", 2**62),
            ("small", 2.7),
            ("speed", 200.0),
            ("speed", 210),
        )
    )
    refused = Setpoint(f"{ASSET}/fixed", 2.0)

    def __init__(self, server: Any, port: int) -> None:
        self.server, self.port = server, port

    def source(self) -> OpcuaSource:
        return source(self.port)

    async def holds(self, tag: str) -> object:
        name = tag.rpartition("/")[2].capitalize()
        node = self.server.test_nodes.get(name) or self.server.get_node(ua.NodeId(name, 2))
        value = await node.read_value()
        return float(value) if isinstance(value, bool) else value

    async def cut(self) -> None:
        await self.server.stop()


async def writable(server: Any) -> None:
    for name in ("Speed", "Run", "Text", "List"):
        await server.test_nodes[name].set_writable()


async def test_opcua_keeps_the_contract_of_an_actuator(machine_server: Callable[..., Any], port: int) -> None:
    async with machine_server(port, VALUES, build) as server:
        await writable(server)
        await check_actuator(OpcuaRig(server, port))


NOT_WRITTEN = [
    ("count", 40_000, quality.BAD_TYPE_MISMATCH, "is Int16 at the server and cannot hold 40000"),
    ("count", 1.5, quality.BAD_TYPE_MISMATCH, "cannot hold 1.5"),
    ("run", 2, quality.BAD_TYPE_MISMATCH, "is Boolean at the server and cannot hold 2"),
    ("speed", "fast", quality.BAD_TYPE_MISMATCH, "is Double at the server and cannot hold 'fast'"),
    ("text", 5, quality.BAD_TYPE_MISMATCH, "is String at the server and cannot hold 5"),
    ("list", 5.0, quality.BAD_TYPE_MISMATCH, "is an array at the server"),
    ("fixed", 5.0, quality.BAD_NOT_WRITABLE, "The server does not let this user write"),
    ("strange", 5.0, quality.BAD_NODE_ID_UNKNOWN, "The server has no variable for"),
    ("absent", (), quality.BAD_CONFIGURATION_ERROR, "has no method 'Nothing': it has Reset"),
    ("lost", (), quality.BAD_CONFIGURATION_ERROR, "has no object 'Machines/CNC-99'"),
    ("reset", (13, 1.0, "SOFT"), ua.StatusCodes.BadInvalidState, "refuses"),
]


async def test_what_is_not_written(machine_server: Callable[..., Any], port: int) -> None:
    one = source(port)
    async with machine_server(port, VALUES, build) as server, one.open() as batches:
        await writable(server)
        await anext(batches)
        outcomes = [await one.apply(Setpoint(f"{ASSET}/{name}", value)) for name, value, *_ in NOT_WRITTEN]
    for (name, _, status, words), outcome in zip(NOT_WRITTEN, outcomes, strict=True):
        assert quality.name(outcome.status) == quality.name(status), name
        assert words in outcome.sentence
        assert outcome.sentence.endswith(".")


async def test_a_method_is_a_setpoint_behind_the_same_door(
    machine_server: Callable[..., Any], port: int, plant: Any, tmp_path: Any
) -> None:
    one = source(port)
    with Audit.open(tmp_path) as audit:
        door = Door(lambda: plant, lambda: [Way("machining", one, one.options.writes)], audit)
        async with machine_server(port, VALUES, build), one.open() as batches:
            await anext(batches)
            good = await door.apply(Setpoint(f"{ASSET}/reset", (4.0, 0.5, "SOFT")), by="ada", reason="new tool")
            bad = await door.apply(Setpoint(f"{ASSET}/reset", (400, 0.5, "SOFT")), by="ada")
        records = audit.newest(2)
    assert (good.status, good.read_back) == (quality.GOOD, (8, "SOFT 0.5"))
    assert good.sentence == f"{ASSET}/reset was called and answered 8, 'SOFT 0.5'."
    assert (bad.status, bad.sentence) == (
        quality.BAD_OUT_OF_RANGE,
        f"{ASSET}/reset (hours) takes 0 to 100 and was asked for 400: stay within these limits.",
    )
    assert [(record.state, record.asked, record.after) for record in records] == [
        ("refused", [400, 0.5, "SOFT"], None),
        ("done", [4, 0.5, "SOFT"], [8, "SOFT 0.5"]),
    ]


async def test_a_row_of_methods_is_counted_through(port: int) -> None:
    row = {"tag": "delta/frames/machining/cell-a/cnc-[01..03]/reset", "object": "Machines/CNC-[01..03]", "method": "R"}
    calls = source(port, methods=[row]).options.calls
    assert [(tag[-12:], one.object) for tag, one in calls.items()][-1] == ("cnc-03/reset", "Machines/CNC-03")
