"""The door: every refusal with its status and sentence, one write at a time, pace, lost links, and the audit of it."""

import asyncio
import logging
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from shopfloor.gateway import registry
from shopfloor.gateway.door import Audit, Door, Way
from shopfloor.gateway.errands import writing
from shopfloor.plant import Kind, ShopfloorError, SourceLost, config, quality
from shopfloor.plant.config import WriteOptions
from shopfloor.plant.contracts import Actuator, Argument, Outcome, Setpoint
from shopfloor.plant.tag import Band

PUMP = "delta/water/hall/cell-1/pump-1"
PLANT = config.loads("""
plant: {site: delta}
types:
  pump:
    tags:
      flow: {unit: l/min}
      setpoint.flow: {unit: l/min, writable: true, range: [0, 30]}
      setpoint.stage: {kind: int64, writable: true, range: [1, 4]}
      setpoint.mode: {kind: text, writable: true, states: [AUTO, HAND]}
      setpoint.note: {kind: text, writable: true}
      setpoint.free: {writable: true}
      setpoint.nowhere: {writable: true, range: [0, 1]}
      setpoint.both: {writable: true, range: [0, 1]}
      setpoint.closed: {writable: true, range: [0, 1]}
      setpoint.unlisted: {writable: true, range: [0, 1]}
      setpoint.quiet: {writable: true, range: [0, 1]}
assets: [{path: "delta/water/hall/cell-1/pump-[1..3]", type: pump}]
""")
LISTED = (
    "setpoint.flow",
    "setpoint.stage",
    "setpoint.mode",
    "setpoint.note",
    "setpoint.free",
    "setpoint.both",
    "reset",
)


@dataclass
class Pump:
    """An actuator in memory that does as it is told."""

    tags: frozenset[str]
    connected: bool = True
    methods: dict[str, tuple[Argument, ...]] = field(default_factory=dict)
    held: dict[str, Any] = field(default_factory=dict)
    asked: list[Setpoint] = field(default_factory=list)
    gate: asyncio.Event | None = None
    fails: BaseException | None = None
    answer: Outcome | None = None

    def can_write(self, tag: str) -> bool:
        return tag.rpartition("/")[2] in self.tags

    async def apply(self, setpoint: Setpoint) -> Outcome:
        self.asked.append(setpoint)
        if self.gate:
            await self.gate.wait()
        if self.fails:
            raise self.fails
        if self.answer:
            return self.answer
        before, self.held[setpoint.tag] = self.held.get(setpoint.tag, 0.0), setpoint.value
        return Outcome(quality.GOOD, setpoint.value, before=before)


@pytest.fixture
def audit(tmp_path: Path) -> Iterator[Audit]:
    with Audit.open(tmp_path) as made:
        yield made


@pytest.fixture
def pump() -> Pump:
    return Pump(
        frozenset({*LISTED, "setpoint.unlisted"}),
        methods={
            f"{PUMP}/reset": (Argument("hours", Kind.INT, Band(0, 100)), Argument("mode", Kind.TEXT, None, ("A",)))
        },
    )


@pytest.fixture
def now() -> list[float]:
    return [1000.0]


@pytest.fixture
def door(pump: Pump, audit: Audit, now: list[float]) -> Door:
    writes = WriteOptions(
        allow=tuple(f"delta/water/hall/*/pump-[1..2]/{one}" for one in LISTED), every="2s", per_minute=5
    )
    everything = WriteOptions(allow=("*/*/*/*/*/*",))
    ways = [
        Way("pumps", pump, writes),
        Way("spare", Pump(frozenset({"setpoint.both"})), writes),
        Way("closed", Pump(frozenset({"setpoint.closed"})), None),
        Way("quiet", Pump(frozenset({"setpoint.quiet"}), connected=False), everything),
    ]
    return Door(lambda: PLANT, lambda: ways, audit, lambda: now[0])


REFUSALS = [
    ("delta/no", 1.0, quality.BAD_NODE_ID_UNKNOWN, "delta/no is no tag of the plant file"),
    (f"{PUMP}/flow", 1.0, quality.BAD_NOT_WRITABLE, "cannot be written: a setpoint says 'writable: true'"),
    (f"{PUMP}/setpoint.free", 1.0, quality.BAD_NOT_WRITABLE, "has no limits"),
    (f"{PUMP}/setpoint.note", "x", quality.BAD_NOT_WRITABLE, "has no list of texts"),
    (f"{PUMP}/setpoint.flow", math.nan, quality.BAD_OUT_OF_RANGE, "got nan: a finite number was expected"),
    (f"{PUMP}/setpoint.flow", -math.inf, quality.BAD_OUT_OF_RANGE, "got -inf"),
    (f"{PUMP}/setpoint.flow", 30.01, quality.BAD_OUT_OF_RANGE, "takes 0 to 30 l/min and was asked for 30.01"),
    (f"{PUMP}/setpoint.flow", -0.01, quality.BAD_OUT_OF_RANGE, "takes 0 to 30 l/min"),
    (f"{PUMP}/setpoint.flow", "7", quality.BAD_TYPE_MISMATCH, "holds numbers and got '7': write digits"),
    (f"{PUMP}/setpoint.flow", True, quality.BAD_TYPE_MISMATCH, "holds numbers and got True"),
    (f"{PUMP}/setpoint.flow", None, quality.BAD_TYPE_MISMATCH, "holds numbers and got None"),
    (f"{PUMP}/setpoint.flow", (1.0, 2.0), quality.BAD_TYPE_MISMATCH, "takes one value and got 2"),
    (f"{PUMP}/setpoint.stage", 2.5, quality.BAD_TYPE_MISMATCH, "holds whole numbers and got 2.5"),
    (f"{PUMP}/setpoint.stage", 10**40, quality.BAD_OUT_OF_RANGE, "takes 1 to 4"),
    (f"{PUMP}/setpoint.stage", 10**5000, quality.BAD_OUT_OF_RANGE, "got a number too large for any device"),
    (f"{PUMP}/setpoint.flow", [1] * 100, quality.BAD_TYPE_MISMATCH, "holds numbers and got [1, 1"),
    (f"{PUMP}/setpoint.mode", "OFF", quality.BAD_OUT_OF_RANGE, "was asked for 'OFF': it takes AUTO, HAND"),
    (f"{PUMP}/setpoint.mode", 1.0, quality.BAD_TYPE_MISMATCH, "holds text and got 1.0"),
    (f"{PUMP}/setpoint.nowhere", 1.0, quality.BAD_NOT_WRITABLE, "No source can write"),
    (f"{PUMP}/setpoint.both", 1.0, quality.BAD_CONFIGURATION_ERROR, "'pumps' and 'spare' can both write"),
    (f"{PUMP}/setpoint.closed", 1.0, quality.BAD_USER_ACCESS_DENIED, "The source 'closed' allows no writes"),
    (f"{PUMP}/setpoint.unlisted", 1.0, quality.BAD_USER_ACCESS_DENIED, "is not on the list of what may be written"),
    (PUMP.replace("-1", "-3") + "/setpoint.flow", 1.0, quality.BAD_NODE_ID_UNKNOWN, "is no tag"),
    (f"{PUMP[:-1]}3/setpoint.flow", 1.0, quality.BAD_USER_ACCESS_DENIED, "is not on the list"),
    (f"{PUMP}/setpoint.quiet", 1.0, quality.BAD_NOT_CONNECTED, "The source 'quiet' is not connected"),
    (f"{PUMP}/reset", (1,), quality.BAD_ARGUMENTS_MISSING, "got 1 argument: it takes 2 (hours, mode)"),
    (f"{PUMP}/reset", (101, "A"), quality.BAD_OUT_OF_RANGE, "(hours) takes 0 to 100"),
    (f"{PUMP}/reset", (1, "B"), quality.BAD_OUT_OF_RANGE, "(mode) was asked for 'B': it takes A"),
]


@pytest.mark.parametrize(("tag", "value", "status", "words"), REFUSALS, ids=range(len(REFUSALS)))
async def test_a_refusal_has_its_status_and_sentence(
    door: Door, pump: Pump, audit: Audit, tag: str, value: Any, status: int, words: str
) -> None:
    outcome = await door.apply(Setpoint(tag, value), by="ada")
    assert (quality.name(outcome.status), outcome.read_back) == (quality.name(status), None)
    assert words in outcome.sentence
    assert outcome.sentence.endswith(".")
    assert pump.asked == []
    assert [(record.state, record.tag, record.status) for record in audit.newest(9)] == [("refused", tag, status)]
    assert audit.verify() == ""


async def test_nobody_cannot_write(door: Door, pump: Pump) -> None:
    outcome = await door.apply(Setpoint(f"{PUMP}/setpoint.flow", 1.0), by=" ")
    assert outcome.status == quality.BAD_USER_ACCESS_DENIED
    assert pump.asked == []


async def test_a_write_is_passed_on_and_audited(door: Door, pump: Pump, audit: Audit) -> None:
    outcome = await door.apply(Setpoint(f"{PUMP}/setpoint.flow", 12), by="ada", reason="low pressure")
    assert (outcome.status, outcome.before, outcome.read_back) == (quality.GOOD, 0.0, 12.0)
    assert outcome.sentence == f"{PUMP}/setpoint.flow holds 12.0, before 0.0."
    (record,) = audit.newest(5)
    assert (record.by, record.reason, record.source, record.tag) == (
        "ada", "low pressure", "pumps", f"{PUMP}/setpoint.flow",
    )  # fmt: skip
    assert (record.asked, record.before, record.after, record.state) == (12.0, 0.0, 12.0, "done")


async def test_a_method_gets_its_arguments(door: Door, pump: Pump) -> None:
    pump.answer = Outcome(quality.GOOD, (7, "done"))
    outcome = await door.apply(Setpoint(f"{PUMP}/reset", (5.0, "A")), by="ada")
    assert pump.asked == [Setpoint(f"{PUMP}/reset", (5, "A"))]
    assert outcome.read_back == (7, "done")


async def test_too_often_for_a_tag_and_for_a_source(door: Door, pump: Pump, now: list[float]) -> None:
    async def write(number: int, name: str = "setpoint.flow") -> Outcome:
        return await door.apply(Setpoint(f"{PUMP[:-1]}{number}/{name}", 1.0), by="ada")

    assert (await write(1)).status == quality.GOOD
    now[0] += 1.5
    refused = await write(1)
    assert refused.status == quality.BAD_TOO_MANY_OPERATIONS
    assert refused.sentence == f"{PUMP}/setpoint.flow was written less than 2 s ago: wait 0.5 s."
    assert (await write(2)).status == quality.GOOD, "another tag has its own pace"
    now[0] += 0.5
    assert (await write(1)).status == quality.GOOD, "a refusal does not count"
    now[0] += 2
    assert [(await write(n)).status for n in (1, 2)] == [quality.GOOD] * 2
    now[0] += 2
    refused = await write(1, "setpoint.stage")
    assert refused.sentence == "The source 'pumps' takes 5 writes in a minute: wait 54 s."
    now[0] += 54.1
    assert (await write(1, "setpoint.stage")).status == quality.GOOD
    assert len(pump.asked) == 6


async def test_one_write_at_a_time_for_a_tag(door: Door, pump: Pump, now: list[float], wait_until: Any) -> None:
    pump.gate = asyncio.Event()
    first = asyncio.create_task(door.apply(Setpoint(f"{PUMP}/setpoint.flow", 1.0), by="ada"))
    other = asyncio.create_task(door.apply(Setpoint(f"{PUMP}/setpoint.stage", 2), by="ada"))
    await wait_until(lambda: len(pump.asked) == 2)
    now[0] += 60
    second = await door.apply(Setpoint(f"{PUMP}/setpoint.flow", 2.0), by="bob")
    assert (second.status, second.sentence) == (
        quality.BAD_RESOURCE_UNAVAILABLE,
        f"Another write to {PUMP}/setpoint.flow is under way: wait for its outcome.",
    )
    pump.gate.set()
    assert {(await first).status, (await other).status} == {quality.GOOD}
    assert (await door.apply(Setpoint(f"{PUMP}/setpoint.flow", 2.0), by="bob")).status == quality.GOOD


@pytest.mark.parametrize(
    ("fails", "why"), [(SourceLost("The cable is out."), "The cable is out"), (None, "did not answer within 0.05 s")]
)
async def test_a_link_lost_in_the_middle_is_unknown_and_never_retried(
    door: Door, pump: Pump, audit: Audit, caplog: pytest.LogCaptureFixture, fails: SourceLost | None, why: str
) -> None:
    pump.fails, door.patience = fails, 0.05
    pump.gate = None if fails else asyncio.Event()
    with caplog.at_level(logging.WARNING):
        outcome = await door.apply(Setpoint(f"{PUMP}/setpoint.flow", 1.0), by="ada")
    assert outcome.status == quality.BAD_COMMUNICATION_ERROR
    assert outcome.sentence.startswith(f"Nobody knows whether the device took {PUMP}/setpoint.flow (")
    assert why in outcome.sentence
    assert len(pump.asked) == 1
    assert audit.newest(1)[0].state == "unknown"
    assert outcome.sentence in caplog.text


async def test_a_cancelled_write_is_recorded_as_unknown(door: Door, pump: Pump, audit: Audit, wait_until: Any) -> None:
    pump.gate = asyncio.Event()
    task = asyncio.create_task(door.apply(Setpoint(f"{PUMP}/setpoint.flow", 1.0), by="ada"))
    await wait_until(lambda: pump.asked)
    assert audit.newest(1)[0].state == "open"
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert audit.newest(1)[0].state == "unknown"


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (Outcome(quality.GOOD, 12.3000001), quality.GOOD, "holds 12.3000001"),
        (Outcome(quality.GOOD, 12.4), quality.UNCERTAIN, "was asked for 12.3 and holds 12.4: look at the device"),
        (Outcome(quality.GOOD), quality.UNCERTAIN, "was written and could not be read back"),
        (Outcome(quality.BAD_NOT_WRITABLE, None, "Local mode."), quality.BAD_NOT_WRITABLE, "Local mode."),
    ],
)
async def test_what_the_device_answers(
    door: Door, pump: Pump, audit: Audit, answer: Outcome, status: int, words: str
) -> None:
    pump.answer = answer
    outcome = await door.apply(Setpoint(f"{PUMP}/setpoint.flow", 12.3), by="ada")
    assert outcome.status == status
    assert words in outcome.sentence
    assert audit.newest(1)[0].state == ("refused" if status >> 31 else "done")


async def test_without_an_audit_nothing_is_written(door: Door, pump: Pump, audit: Audit) -> None:
    audit._open.execute("DROP TABLE entry")
    outcome = await door.apply(Setpoint(f"{PUMP}/setpoint.flow", 1.0), by="ada")
    assert outcome.status == quality.BAD_RESOURCE_UNAVAILABLE
    assert outcome.sentence.endswith("until then nothing is written to a device.")
    assert pump.asked == []


def test_every_source_that_writes_is_a_way(tmp_path: Path) -> None:
    url = {"opcua": "opc.tcp://x", "mqtt": "mqtt://x", "modbus": "modbus://x", "sparkplug": "mqtt://x"}
    register = {"tag": f"{PUMP}/setpoint.flow", "table": "holding", "address": 1}
    more: dict[str, Any] = {
        "opcua": {"security": "none", "everything": PUMP},
        "mqtt": {"topics": [{"topic": "{tag}", "tag": f"{PUMP}/{{tag}}"}]},
        "modbus": {"groups": [{"registers": [register]}]},
        "sparkplug": {"assets": {"g/n": PUMP}},
    }
    for kind in sorted(url):
        connector = registry.connector(kind)
        options = connector.options.model_validate({"url": url[kind]} | more[kind])
        source = connector.build("one", options, PLANT, tmp_path)
        assert isinstance(source, Actuator), kind
        assert not source.connected
        assert "writes" in connector.options.model_fields


async def test_who_asked_may_leave_and_the_write_goes_on(
    door: Door, pump: Pump, audit: Audit, wait_until: Callable[..., Any]
) -> None:
    pump.gate = asyncio.Event()
    calls = writing.handlers(door)
    body = {"tag": f"{PUMP}/setpoint.flow", "value": 3, "by": "ada", "reason": "leaving"}
    asking = asyncio.create_task(anext(calls["write"](body)))
    await wait_until(lambda: pump.asked)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    pump.gate.set()
    await wait_until(lambda: audit.newest(1)[0].state == "done")
    (told,) = [part async for part in calls["audit"]({"n": 5})]
    assert told["fault"] == ""
    assert [(one["by"], one["after"], one["reason"]) for one in told["records"]] == [("ada", 3.0, "leaving")]


@pytest.mark.parametrize("body", [{}, {"tag": f"{PUMP}/setpoint.flow"}, {"tag": 5, "value": 1}])
async def test_a_request_without_a_tag_or_a_value(door: Door, pump: Pump, body: dict[str, Any]) -> None:
    with pytest.raises(ShopfloorError, match="'tag' or 'value' is missing"):
        await anext(writing.handlers(door)["write"]({"by": "ada"} | body))
    assert pump.asked == []
