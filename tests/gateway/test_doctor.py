"""The connection doctor: every cause of docs/doctor.md produced for real, what is said compared with it; the ladder."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from brokers import free_port
from doctor_bench import BEST, PLACES, SECURE, Bench, alarms, asyncua
from doctor_causes import PRODUCERS
from modbus_device import modbus_device
from secure_servers import Issued, Stand, node_server
from shopfloor.gateway.doctor import Finding, State, examine, steps_of
from shopfloor.gateway.doctor import main as command
from shopfloor.gateway.opcua.certificate import thumbprint
from shopfloor.services.cli import main

PAGE = Path(__file__).parents[2] / "docs" / "doctor.md"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, server: Issued) -> Iterator[Callable[[], int]]:
    """The port of a node-opcua server with few places, started when it is first asked for."""
    stack, ports = ExitStack(), []

    def started() -> int:
        if not ports:
            port, folder = free_port(), tmp_path_factory.mktemp("node")
            stack.enter_context(node_server(port, folder, server, ["None"], modes=["None"], sessions=PLACES))
            ports.append(port)
        return ports[0]

    with stack:
        yield started


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shopfloor.gateway.doctor.network.CONNECT_S", 1.0)
    monkeypatch.setattr("shopfloor.gateway.doctor.opcua._HELLO_S", 1.5)
    monkeypatch.setattr("shopfloor.gateway.doctor.mqtt_visit.ANSWER_S", 1.5)
    monkeypatch.setattr("shopfloor.gateway.doctor.speech._ANSWER_S", 0.4)


async def found(bench: Bench) -> list[Finding]:
    walk = examine(bench.url, bench.options, data=bench.data, seconds=0.5, mapped=bench.mapped)
    return [finding async for finding in walk]


@dataclass(frozen=True)
class Case:
    """A row of the page; `name` counts the rows of one cause."""

    name: str
    mark: str
    cause: str
    step: str
    why: str
    fix: str


def cases() -> list[Case]:
    rows = [line.strip("| ").split(" | ") for line in PAGE.read_text().splitlines() if line.startswith(("| ✗", "| !"))]
    found: list[Case] = []
    for mark, cause, *rest in rows:
        count = 1 + sum(case.cause == cause.strip("`") for case in found)
        found.append(Case(cause.strip("`") + (f"-{count}" if count > 1 else ""), mark, cause.strip("`"), *rest))
    return found


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
async def test_every_cause_is_said_in_plain_words(
    case: Case, stand: Stand, tmp_path: Path, server: Issued, node: Callable[[], int]
) -> None:
    bench = Bench(stand, tmp_path, free_port(), server, node)
    async with PRODUCERS[case.name](bench):
        findings = await found(bench)
    said = next((one for one in findings if one.cause == case.cause), None)
    assert said is not None, [one for one in findings if one.cause]
    values = facts(bench) | bench.values
    values["age"] = re.sub(r".* is (\d+ (s|min)) old\.", r"\1", said.why)
    assert said.why == case.why.format(**values)
    assert said.fix == case.fix.format(**values)
    assert (said.step, said.state) == (case.step, State.FAILED if case.mark == "✗" else State.NOTE)
    assert "geheim" not in said.why + said.fix
    assert [one.step for one in findings] == list(steps_of(bench.url))


def facts(bench: Bench) -> dict[str, Any]:
    known, name = bench.server.certificate, thumbprint(bench.server.certificate)
    span = f"{known.not_valid_before_utc:%Y-%m-%d} to {known.not_valid_after_utc:%Y-%m-%d}"
    return {
        "host": "127.0.0.1",
        "port": bench.port,
        "url": bench.url,
        "data": bench.data,
        "thumbprint": name,
        "certificate": f"{name} (CN=server, valid {span})",
        "patience": 1,
        "seconds": 0.5,
    }


def test_every_cause_of_the_page_is_produced_and_no_other() -> None:
    assert [case.name for case in cases()] == list(PRODUCERS)
    assert len({case.cause for case in cases()}) >= 60


async def test_a_sound_connection(stand: Stand, tmp_path: Path, server: Issued) -> None:
    bench = Bench(stand, tmp_path, free_port(), server)
    async with asyncua([BEST], SECURE, node="Counter", counting=0.1)(bench):
        findings = await found(bench)
    assert {one.state for one in findings} == {State.OK}
    assert re.fullmatch(r"\d+ changes? came within 0\.5 s\.", findings[-4].why)


@pytest.mark.parametrize(
    ("asked", "offers", "said"),
    [
        (True, True, "The server offers alarms and conditions, and tells those that stand."),
        (False, True, "The server offers alarms and conditions; 'conditions: true' in the source follows them."),
        (False, False, "No alarms and conditions are asked for, and the server offers none."),
    ],
)
async def test_alarms_that_a_server_offers_are_told(
    stand: Stand, tmp_path: Path, server: Issued, asked: bool, offers: bool, said: str
) -> None:
    bench = Bench(stand, tmp_path, free_port(), server)
    async with alarms(asked, offers=offers)(bench):
        (*_, last) = await found(bench)
    assert (last.step, last.state, last.why) == ("conditions", State.OK, said)


async def test_the_sessions_end_with_the_examination(stand: Stand, tmp_path: Path, server: Issued) -> None:
    """A busy machine may be too late to end one in order, never all of them."""
    bench = Bench(stand, tmp_path, free_port(), server)
    async with asyncua(["NoSecurity"], node="Load")(bench):
        inside = stand.server.iserver
        assert any([await leaves_nothing(bench, inside) for _ in range(3)])


async def leaves_nothing(bench: Bench, inside: Any) -> bool:
    sessions, subscriptions = inside._external_sessions, inside.subscription_service.subscriptions
    before = len(sessions), len(subscriptions)
    await found(bench)
    for _ in range(100):
        if len(sessions) <= before[0] and len(subscriptions) <= before[1]:
            return True
        await asyncio.sleep(0.02)
    return False


async def test_the_ladder_and_the_json(
    stand: Stand, tmp_path: Path, server: Issued, capsys: pytest.CaptureFixture[str]
) -> None:
    bench = Bench(stand, tmp_path, free_port(), server)
    async with asyncua([BEST], trusted=False)(bench):
        arguments = ["doctor", bench.url, "--security", "Basic256Sha256", "--data", str(bench.data), "--seconds", "1"]
        assert await asyncio.to_thread(main, arguments) == 1
        shown = capsys.readouterr().out.splitlines()
        assert await asyncio.to_thread(main, [*arguments, "--json"]) == 1
        rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert shown[0] == bench.url
    assert shown[1] == f"  ✓ address             Host 127.0.0.1, port {bench.port}."
    assert shown[7].startswith("  ✗ server certificate  The server opc.tcp://127.0.0.1:")
    assert shown[8].startswith(
        "                        → Compare the thumbprint with the server's own, then run `shopfloor"
    )
    assert shown[9].startswith("  · not reached: own certificate, channel, session, login, browse")
    assert shown[10:] == ["Fails at: server certificate."]
    assert [one["step"] for one in rows] == list(steps_of(bench.url))
    assert {one["state"] for one in rows} == {"ok", "failed", "skipped"}


def test_a_source_of_a_plant_file_is_examined(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    file = tmp_path / "plant.yaml"
    file.write_text(PLANT.format(port=port))
    assert main(["doctor", "--config", str(file), "--source", "press"]) == 1
    shown = capsys.readouterr().out
    assert shown.startswith(f"opc.tcp://127.0.0.1:{port}/press\n")
    assert "→ Start the server on it, or correct the port in the address." in shown
    assert main(["doctor", "--config", str(file), "--source", "pres"]) == 2
    assert "has no source 'pres': choose one of press." in capsys.readouterr().err
    assert main(["doctor", "--config", str(file)]) == 2
    assert main(["doctor"]) == 2
    capsys.readouterr()


async def test_durations_of_a_plant_file_reach_the_examiner(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    file = tmp_path / "plant.yaml"
    file.write_text(WATER.format(port=port))
    async with modbus_device(port):
        assert await asyncio.to_thread(main, ["doctor", "--config", str(file), "--source", "pumps"]) == 0
    assert "Every register was read" in capsys.readouterr().out


async def test_each_address_of_a_host_is_tried() -> None:
    *_, last = [
        finding async for finding in examine(f"modbus://localhost:{free_port()}") if finding.state is State.FAILED
    ]
    assert last.cause == "port-refused"


def test_a_password_in_the_address_is_never_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "opc.tcp://anna:geheim@127.0.0.1:1"]) == 1
    assert "geheim" not in capsys.readouterr().out


def test_colours_only_for_people() -> None:
    finding = Finding("port", State.FAILED, "No.", "Do.", "x")
    (first, _) = command.Ladder(4, colour=True).rung(finding)
    assert first == "  \x1b[31;1m✗ port\x1b[0m  No."
    assert not any("\x1b" in line for line in command.Ladder(4).rung(finding))


WATER = """
plant: {{site: delta}}
types: {{pump: {{}}}}
assets: [{{path: delta/water/hall/cell-1/pump-1, type: pump}}]
sources:
  - name: pumps
    kind: modbus
    url: modbus://127.0.0.1:{port}
    timeout: 2s
    groups:
      - {{every: 500ms, registers: [{{tag: delta/water/hall/cell-1/pump-1/flow, table: input, address: 0}}]}}
"""
PLANT = """\
plant: {{site: delta}}
types:
  press:
    title: Press
    tags:
      load: {{unit: "%", title: Load}}
assets:
  - {{path: delta/frames/line/cell-a/press-1, type: press, title: Press 1}}
sources:
  - name: press
    kind: opcua
    url: opc.tcp://127.0.0.1:{port}/press
    security: none
    assets: {{Press: delta/frames/line/cell-a/press-1}}
    tags: {{Load: load}}
"""
