"""Our host application against a foreign edge node, npm `sparkplug-client`, on a real broker."""

import asyncio
import json
import os
import shutil
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from brokers import Broker, mosquitto_broker, nats_broker, running
from shopfloor.plant import Setpoint, quality

FOLDER = Path(__file__).parents[2] / "foreign" / "sparkplug"
LINE = "north/stamping/line-1/edge-9"
EDGE = "north/stamping/line-1/cells/edge-9"
PRESS = f"{LINE}/press-1"
VALUES = {
    "int8": -8,
    "int16": -1600,
    "int32": -320000,
    "uint8": 200,
    "uint16": 60000,
    "uint32": 4000000000,
    "int64": -64,
    "uint64": 64,
    "float": 0.5,
    "double": 1.25,
    "boolean": 1.0,
    "string": "text",
    "datetime": "1970-01-01T00:00:01.500000+00:00",
    "text": "more",
    "uuid": "id",
}
ALIAS = {name: 10 + n for n, name in enumerate(VALUES)}
pytestmark = pytest.mark.foreign


class Foreign:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said: list[str] = []
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.strip())

    def do(self, what: str, device: str = "", *metrics: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": what, "device": device, "metrics": metrics}) + "\n")
        self.process.stdin.flush()

    def births(self) -> int:
        return self.said.count("birth")


@contextmanager
def foreign_node(port: int) -> Iterator[Foreign]:
    node = shutil.which("node")
    if node is None or not (FOLDER / "node_modules" / "sparkplug-client").is_dir():
        sentence = "sparkplug-client is not installed: run 'npm ci' in tests/foreign/sparkplug."
        pytest.fail(sentence) if os.environ.get("CI", "").lower() == "true" else pytest.skip(sentence)
    process = subprocess.Popen(
        [node, str(FOLDER / "node.js"), str(port), "press-shop", "edge-9"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    foreign = Foreign(process)
    try:
        yield foreign
    finally:
        process.kill()
        process.wait(10)
        foreign.thread.join(10)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        process.stdout.close()


@pytest.mark.parametrize("make", [mosquitto_broker, nats_broker], ids=["mosquitto", "nats"])
async def test_a_foreign_node_is_stored_to_the_value(
    tmp_path: Path, source_of: Callable[..., Any], read: Callable[..., Any], wait_until: Callable[..., Any],
    make: Callable[[Path], Broker],
) -> None:  # fmt: skip
    with running(make(tmp_path)) as broker:
        async with read(source_of(broker.port)) as found:
            with foreign_node(broker.port) as node:
                await wait_until(lambda: len({one.tag for one in found.samples}) == 31)
                for device in ("press-1", "press-2"):
                    born = {one.tag.rpartition(".")[2]: one.value for one in found.samples if device in one.tag}
                    assert born == VALUES
                sent = [(n, 1_700_000_000_000 + n) for n in range(300)]
                for n, stamp in sent:
                    one = {"alias": ALIAS["double"], "timestamp": stamp, "type": "Double", "value": n + 0.25}
                    two = {"alias": ALIAS["int16"], "timestamp": stamp, "type": "Int16", "value": -n}
                    node.do("data", "press-1", one, two)
                await wait_until(lambda: len(found.of(f"{PRESS}/All.int16")) == 301)
                doubles = [(one.value, one.time) for one in found.of(f"{PRESS}/All.double")[1:]]
                assert doubles == [(n + 0.25, stamp * 1_000_000) for n, stamp in sent]
                assert [one.value for one in found.of(f"{PRESS}/All.int16")[1:]] == [-n for n, _ in sent]
                node.do("device-death", "press-2")
                await wait_until(lambda: dead(found, "press-2") == 15)
                assert dead(found, "press-1") == 0
                node.do("device-birth", "press-2")
                await wait_until(lambda: found.of(f"{LINE}/press-2/All.double")[-1].quality == quality.GOOD)
                assert (node.births(), found.source.malformed) == (1, 0), found.source.malformed_sentence
                node.process.kill()
                await wait_until(lambda: dead(found, "edge-9") == 15 + 31)


def dead(found: Any, part: str) -> int:
    return sum(part in one.tag and one.quality == quality.BAD_NO_COMMUNICATION for one in found.samples)


async def test_a_foreign_node_is_asked_for_its_births_after_a_restart_of_the_host(
    broker: Broker, source_of: Callable[..., Any], read: Callable[..., Any], wait_until: Callable[..., Any]
) -> None:
    with foreign_node(broker.port) as node:
        await wait_until(lambda: node.births() == 1)
        await asyncio.sleep(0.3)
        async with read(source_of(broker.port)) as found:
            stamp = time.time_ns() // 1_000_000
            node.do("data", "press-1", {"alias": ALIAS["double"], "timestamp": stamp, "type": "Double", "value": 7.5})
            await wait_until(lambda: node.births() == 2)
            await wait_until(lambda: 7.5 in found.values(f"{PRESS}/All.double"))
            assert not any("alias" in one.tag or one.tag.rpartition("/")[2].isdigit() for one in found.samples)


async def test_a_foreign_node_takes_our_command(
    broker: Broker, source_of: Callable[..., Any], read: Callable[..., Any], wait_until: Callable[..., Any]
) -> None:
    async with read(source_of(broker.port)) as found:
        with foreign_node(broker.port) as node:
            await wait_until(lambda: found.of(f"{PRESS}/All.double"))
            outcome = await found.source.apply(Setpoint(f"{PRESS}/All.double", 42.5))
            assert (outcome.status, outcome.read_back) == (quality.GOOD, 42.5)
            await wait_until(lambda: any(line.startswith("command press-1") for line in node.said))
            assert found.values(f"{PRESS}/All.double")[-1] == 42.5


@pytest.mark.sparkplug("tck-id-payloads-metric-datatype-value-type")
def test_our_payloads_have_the_bytes_of_the_specification() -> None:
    """Field numbers and wire types by hand: protobuf's own encoding rules, no message class of ours."""
    from shopfloor.gateway.sparkplug.payload import Payload

    made = Payload(timestamp=300, seq=2)
    made.metrics.add(name="ab", alias=5, timestamp=1, datatype=10, double_value=1.0)
    metric = b"\x0a\x02ab" + b"\x10\x05" + b"\x18\x01" + b"\x20\x0a" + b"\x69" + struct.pack("<d", 1.0)
    assert made.SerializeToString() == b"\x08\xac\x02" + b"\x12" + bytes([len(metric)]) + metric + b"\x18\x02"
