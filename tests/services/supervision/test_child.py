"""Children: real processes, watched, restarted, stopped, and gone when their supervisor is."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
from running_server import until
from shopfloor.services.supervision.child import LEASH, Child, Plan

READY = "import time,sys; print('ready {\"port\": 7}', flush=True); print('busy', flush=True); time.sleep(60)"
DEAF = (
    "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready {}', flush=True); time.sleep(60)"
)
FAILING = "import sys; print('The port is taken.'); sys.exit(3)"
PARENT = (
    "import subprocess,sys,time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
    "print('ready {}', flush=True); time.sleep(60)"
)


@asynccontextmanager
async def kept(folder: Path, code: str) -> AsyncIterator[tuple[Child, list[str]]]:
    """A child that runs `code`, and what it says to the person."""
    said: list[str] = []
    child = Child(Plan("worker", "simulator", (sys.executable, "-c", code)), folder, said.append)
    keeper = asyncio.create_task(child.keep())
    try:
        yield child, said
    finally:
        child.signal(signal.SIGKILL)
        await asyncio.wait_for(keeper, 5)


async def eventually(question: object, seconds: float = 10) -> None:
    assert callable(question)
    async with asyncio.timeout(seconds):
        while not question():  # noqa: ASYNC110 (a process has no event to wait for)
            await asyncio.sleep(0.02)


async def test_it_says_when_it_is_ready_and_its_words_are_logged(tmp_path: Path) -> None:
    async with kept(tmp_path, READY) as (child, _):
        await asyncio.wait_for(child.ready.wait(), 10)
        assert child.announced == {"port": 7}
        await eventually(lambda: child.last_line == "busy")
        figures = child.figures()
        assert (figures["name"], figures["kind"], figures["state"]) == ("worker", "simulator", "running")
        assert figures["pid"] == child.pid
        assert figures["rss_bytes"] > 0
    assert "busy" in (tmp_path / "worker.log").read_text()


async def test_it_is_started_again_after_kill_9(tmp_path: Path) -> None:
    async with kept(tmp_path, READY) as (child, said):
        await asyncio.wait_for(child.ready.wait(), 10)
        first = child.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await eventually(lambda: child.pid not in {None, first})
        assert not said
    assert "ended with -9; starting again" in (tmp_path / "worker.log").read_text()


async def test_a_crash_loop_shows_its_last_line(tmp_path: Path) -> None:
    async with kept(tmp_path, FAILING) as (_, said):
        await eventually(lambda: said)
    assert said[0] == f"worker keeps stopping: The port is taken. (see {tmp_path / 'worker.log'})"


async def test_what_it_has_started_ends_with_it(tmp_path: Path) -> None:
    async with kept(tmp_path, PARENT) as (child, _):
        await asyncio.wait_for(child.ready.wait(), 10)
        (grandchild,) = psutil.Process(child.pid).children()
        child.signal(signal.SIGTERM)
        await eventually(lambda: not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE)
        await eventually(lambda: child.state == "stopped")


async def test_one_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    async with kept(tmp_path, DEAF) as (child, _):
        await asyncio.wait_for(child.ready.wait(), 10)
        child.signal(signal.SIGTERM)
        await asyncio.sleep(0.2)
        assert child.pid is not None
        child.signal(signal.SIGKILL)
        await eventually(lambda: child.state == "stopped")


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's leash is Linux's")
def test_it_ends_when_its_supervisor_is_killed() -> None:
    code = (
        "import subprocess,sys,os,time;"
        f"p=subprocess.Popen([sys.executable,'-I','-S',{str(LEASH)!r},str(os.getpid()),'sleep','60'],"
        "start_new_session=True); print(p.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as supervisor:
        assert supervisor.stdout is not None
        child = psutil.Process(int(supervisor.stdout.readline()))
        until(lambda: child.name() == "sleep")
        supervisor.kill()
    with contextlib.suppress(psutil.NoSuchProcess):
        child.wait(5)
    assert not child.is_running()


def test_a_leash_whose_holder_is_gone_starts_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(LEASH), "1", "sleep", "60"], capture_output=True, check=False
    )
    assert done.returncode == 1
    assert b"The supervisor is gone." in done.stderr
