"""A whole plant of small children: start, progress, stop in time, and every refusal in one sentence."""

from __future__ import annotations

import argparse
import asyncio
import gc
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from running_server import until
from shopfloor.plant import ConfigError, ShopfloorError, StoreError
from shopfloor.services import lock
from shopfloor.services.lock import check_space, owned
from shopfloor.services.supervise import Plant, add_arguments, plans
from shopfloor.services.supervision.birth import origin
from shopfloor.services.supervision.child import Child, Plan
from shopfloor.services.supervision.ports import check_free, free_port, kept_ports
from shopfloor.services.supervision.screen import Screen, progress

HEALTH = {"history": {"state": "importing", "progress": 0.5}, "brain": {"state": "waiting", "progress": 0}}
SERVER = f"""
import http.server, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = {json.dumps(HEALTH)!r}.encode()
        self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers()
        self.wfile.write(body)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
"""
IDLE = "import time; print('ready {}', flush=True); time.sleep(60)"
DEAF = (
    "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready {}', flush=True); time.sleep(60)"
)


def small_plans(port: int, gateway: str = IDLE) -> list[Plan]:
    def python(name: str, kind: str, *arguments: str) -> Plan:
        return Plan(name, kind, (sys.executable, "-c", *arguments))

    return [
        python("server", "server", SERVER, str(port)),
        python("machining", "simulator", IDLE),
        python("gateway", "gateway", gateway),
    ]


async def children(plant: Plant) -> list[Child]:
    """All but the server, which says nothing."""
    while not plant.children:  # noqa: ASYNC110 (they appear with the first step of the task)
        await asyncio.sleep(0.01)
    return plant.children[1:]


async def run(data: Path, seconds: float, gateway: str = IDLE) -> tuple[str, list[dict[str, object]], float]:
    """Run a small plant; what it said, the processes it told of, and how long it took to stop."""
    (data / "logs").mkdir(parents=True)
    out, port = io.StringIO(), free_port()
    plant = Plant(data, port, Screen(out), browser=False)
    task = asyncio.create_task(plant.run(small_plans(port, gateway), None))
    told: list[dict[str, object]] = []
    async with asyncio.timeout(20):
        await asyncio.gather(*(child.ready.wait() for child in await children(plant)))
        while "Shopfloor runs at" not in out.getvalue():  # noqa: ASYNC110 (another program tells)
            await asyncio.sleep(0.05)
        while len(told) < 3 or any(row["state"] != "running" for row in told):
            await asyncio.sleep(0.05)
            told = json.loads((data / "processes.json").read_text())["processes"]
    await asyncio.sleep(seconds)
    began = time.monotonic()
    os.kill(os.getpid(), signal.SIGTERM)
    assert await asyncio.wait_for(task, 10) == 0
    return out.getvalue(), told, time.monotonic() - began


async def test_one_line_with_the_address_then_progress_then_the_end(tmp_path: Path) -> None:
    said, told, took = await run(tmp_path, 0.5)
    lines = said.splitlines()
    assert [line for line in lines if "http://127.0.0.1" in line] == [lines[1]]
    assert lines[-1].startswith("Stopped in")
    assert {row["kind"] for row in told} == {"server", "simulator", "gateway"}
    assert took < 2
    assert not any(psutil.pid_exists(int(str(row["pid"]))) for row in told)
    assert not (tmp_path / "processes.json").exists()


async def test_a_child_that_does_not_listen_is_killed_in_time(tmp_path: Path) -> None:
    _, told, took = await run(tmp_path, 0, DEAF)
    assert 3.5 < took < 5
    assert not any(psutil.pid_exists(int(str(row["pid"]))) for row in told)


async def test_a_child_that_refuses_to_start_ends_the_plant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shopfloor.services.supervision.child.REFUSED_S", 0.5)
    (tmp_path / "logs").mkdir()
    refusing = "import sys; print('The folder holds another seed.'); sys.exit(2)"
    wanted = [Plan(name, name, (sys.executable, "-c", code)) for name, code in (("server", IDLE), ("line", refusing))]
    out = io.StringIO()
    with pytest.raises(ShopfloorError, match=r"^line: The folder holds another seed\.$"):
        await asyncio.wait_for(Plant(tmp_path, free_port(), Screen(out), browser=False).run(wanted), 20)
    assert "keeps stopping" not in out.getvalue()
    assert not psutil.Process().children()


@pytest.mark.parametrize("seconds", [0.01, 0.3])
async def test_a_plant_that_is_stopped_while_it_starts_stops_silently(tmp_path: Path, seconds: float) -> None:
    (tmp_path / "logs").mkdir()
    said: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: said.append(context))
    never = "import time; time.sleep(60)"
    wanted = [
        Plan("line", "simulator", (sys.executable, "-c", never)),
        Plan("gateway", "gateway", (sys.executable, "-c", never)),
    ]
    assert await Plant(tmp_path, free_port(), Screen(io.StringIO()), browser=False).run(wanted, seconds) == 0
    gc.collect()
    assert said == []


def asked(**given: object) -> argparse.Namespace:
    return argparse.Namespace(**{"seed": None, "history": None, **given})


def test_a_plant_stays_what_it_was_begun_with(tmp_path: Path) -> None:
    origin(first := asked(history="12h"), tmp_path)
    assert (first.seed, first.history) == (1, "12h")
    origin(again := asked(seed=1), tmp_path)
    assert (again.seed, again.history) == (1, "12h")
    with pytest.raises(ConfigError, match="was begun with --seed 1 and cannot change to 2: leave --seed out"):
        origin(asked(seed=2), tmp_path)
    with pytest.raises(ConfigError, match="was begun with --history 12h and cannot change to 7d"):
        origin(asked(history="7d"), tmp_path)
    (tmp_path / "demo.json").write_text("{")
    origin(damaged := asked(), tmp_path)
    assert (damaged.seed, damaged.history) == (1, "7d")


@pytest.mark.parametrize("wrong", [("--history", "soon"), ("--for", "-5"), ("--port", "99999"), ("--seed", "x")])
def test_arguments_of_a_demonstration_that_are_none(wrong: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    with pytest.raises(SystemExit) as ended:
        parser.parse_args(wrong)
    assert ended.value.code == 2
    assert wrong[1] in capsys.readouterr().err


def test_the_plan_of_the_demonstration(tmp_path: Path) -> None:
    args = argparse.Namespace(broker=None, history="7d", seed=7, no_faults=False)
    first, second = plans(args, tmp_path, 8000), plans(args, tmp_path, 8000)
    assert first == second
    assert [(p.kind, p.name) for p in first] == [
        ("broker", "broker"),
        ("server", "server"),
        ("simulator", "machining"),
        ("simulator", "potline"),
        ("gateway", "gateway"),
    ]
    config = (tmp_path / "broker" / "nats.conf").read_text()
    assert "sync_interval: always" in config
    assert "host: 127.0.0.1" in config
    own = plans(argparse.Namespace(broker="mqtt://10.0.0.9:1883", history="0", seed=7, no_faults=True), tmp_path, 8000)
    assert "broker" not in {p.kind for p in own}
    assert own[0].environment["SHOPFLOOR_MQTT"] == "mqtt://10.0.0.9:1883"
    assert not any("--history" in p.command for p in own)
    assert json.loads((tmp_path / "recordings" / "machining" / "manifest.json").read_text())["complete"] is True


def test_ports_stay_and_move_only_when_they_are_taken(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    first = kept_ports(file, ("broker", "opcua"))
    assert kept_ports(file, ("broker", "opcua")) == first
    with socket.socket() as other:
        other.bind(("127.0.0.1", first["opcua"]))
        other.listen()
        second = kept_ports(file, ("broker", "opcua"))
        assert second["broker"] == first["broker"]
        assert second["opcua"] != first["opcua"]
        with pytest.raises(ConfigError, match="is taken by another program"):
            check_free(first["opcua"])
    assert check_free(0) > 0


def test_a_second_owner_a_full_disk_and_a_folder_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with owned(tmp_path, "demo"):
        second = pytest.raises(StoreError, match=rf"in use by another Shopfloor \(process {os.getpid()}\)")
        with second, owned(tmp_path, "demo"):
            pass
        with owned(tmp_path, "server"):
            pass
    with owned(tmp_path, "demo"):
        pass
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"), owned(tmp_path / "file" / "data", "demo"):
        pass

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(lock.os, "pwrite", full)
        with owned(tmp_path, "demo"):
            pass
    usage = lock.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(lock.shutil, "disk_usage", lambda _: usage._replace(free=5 << 20))
    with pytest.raises(StoreError, match="has 5 MB left, 100 MB are needed"):
        check_space(tmp_path, 100 << 20)


@pytest.mark.skipif(not Path("/sys/kernel").is_dir(), reason="needs a folder that root cannot write either")
def test_a_read_only_folder_is_one_sentence_and_2() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "shopfloor.services.cli", "demo", "--data", "/sys/kernel", "--no-browser"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert "cannot be written" in done.stderr


def test_a_status_line_is_rewritten_on_a_terminal_and_rare_elsewhere() -> None:
    plain = io.StringIO()
    screen = Screen(plain)
    for text in ("a", "a", "b"):
        screen.status(text)
    screen.line("done")
    assert plain.getvalue() == "a\ndone\n"
    terminal = io.StringIO()
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    screen = Screen(terminal)
    for text in ("a", "a", "b", ""):
        screen.status(text)
    assert terminal.getvalue() == "\r\x1b[Ka\r\x1b[Kb\r\x1b[K"


def test_progress_tells_of_history_and_brain() -> None:
    def said(history: str, brain: str) -> str:
        return progress({"history": {"state": history, "progress": 0.5},
                         "brain": {"state": brain, "progress": 0.25, "sentence": "No labels."}})  # fmt: skip

    assert said("importing", "waiting") == "History 50 %"
    assert said("importing", "training") == "History 50 % · Brain 25 %"
    assert said("complete", "failed") == "Brain: No labels."
    assert said("complete", "ready") == ""


def test_a_broker_of_our_own_starts_and_accepts(tmp_path: Path) -> None:
    from shopfloor.services.supervision.broker import broker_plan

    port = free_port()
    plan = broker_plan(tmp_path / "broker", port)
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(plan.command, stdout=log, stderr=log) as broker:
        try:
            until(lambda: not check(port), 15)
        finally:
            broker.terminate()


def check(port: int) -> bool:
    from shopfloor.services.supervision.ports import is_free

    return is_free(port)
