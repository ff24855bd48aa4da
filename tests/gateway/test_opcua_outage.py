"""Outages of the link to real OPC UA servers: nothing lost, nothing twice, and soon back.

Longer outages of the same kinds: `python tests/bench/opcua_outage.py`.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import counters
import pytest
import secure_sources
from brokers import free_port
from counters import counting, reading, source, until
from secure_servers import Issued, Stand
from secure_sources import Passwords
from shopfloor.gateway.cut import Cut
from shopfloor.gateway.opcua import OpcuaSource
from shopfloor.gateway.opcua.session import linked

pytestmark = pytest.mark.foreign


@pytest.fixture(scope="module")
def counter() -> Iterator[Callable[[str], int]]:
    """The port of a server of each sort that counts on from test to test, and keeps no history."""
    with ExitStack() as servers:

        @cache
        def port_of(server: str) -> int:
            port = free_port()
            servers.enter_context(counting(server, port))
            return port

        yield port_of


@pytest.mark.parametrize("server", ["node-opcua", "asyncua"])
async def test_a_cut_link_costs_nothing(server: str, counter: Callable[[str], int], tmp_path: Path) -> None:
    assert await cut(counter(server), tmp_path) == 0


async def test_a_session_that_ended_with_its_link_costs_nothing_where_there_is_history(
    port: int, tmp_path: Path
) -> None:
    """python-opcua ends a session with its connection."""
    with counting("python-opcua", port, history=True):
        assert await cut(port, tmp_path) > 0


async def cut(port: int, folder: Path) -> int:
    """Cut the link for longer than it takes to see it; the answer is how many values came from history."""
    async with Cut("127.0.0.1", port) as link, reading(source(link.port), folder) as run:
        await until(lambda: len(run.arrivals) > 5)
        await link.refuse()
        await until(lambda: "Nothing listens" in run.feed.state.detail)
        await asyncio.sleep(1)
        await link.accept()
        resumed = await run.after(time.monotonic())
        await until(lambda: not run.source.marks.gaps)
        await asyncio.sleep(0.5)
    assert (run.lost(), run.duplicated(), run.source.gaps, run.source.detail) == (0, 0, 0, "")
    assert resumed < 2
    return run.source.backfilled


async def test_a_silent_drop_costs_nothing(counter: Callable[[str], int], tmp_path: Path) -> None:
    async with Cut("127.0.0.1", counter("node-opcua")) as link, reading(source(link.port), tmp_path) as run:
        await until(lambda: len(run.arrivals) > 5)
        link.drop()
        await until(lambda: "is connected but has sent nothing for" in run.feed.state.detail)
        await asyncio.sleep(1)
        link.reset()
        resumed = await run.after(time.monotonic())
        await asyncio.sleep(0.5)
    assert (run.lost(), run.duplicated(), run.source.gaps, run.source.backfilled) == (0, 0, 0, 0)
    assert resumed < 2


async def test_subscriptions_are_transferred_when_only_the_session_is_gone(
    counter: Callable[[str], int], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    port = counter("node-opcua")
    async with Cut("127.0.0.1", port) as link, reading(source(link.port), tmp_path) as run:
        await until(lambda: len(run.arrivals) > 5)
        await link.refuse()
        await until(lambda: "Nothing listens" in run.feed.state.detail)
        await close_session(port, run.source)
        await asyncio.sleep(1)
        await link.accept()
        await run.after(time.monotonic())
        await asyncio.sleep(0.5)
    assert (run.lost(), run.duplicated(), run.source.gaps) == (0, 0, 0)
    assert "made anew" not in caplog.text


async def close_session(port: int, lost: OpcuaSource) -> None:
    """Close the session of a source that has lost its link, but not its subscriptions, as a server's time-out does."""
    assert lost._kept is not None
    async with linked(source(port).options, None, lost._kept.station.ticket) as link:
        assert link.resumed
        await link.session.close_session(delete_subscriptions=False)
        link.stay = True


@pytest.mark.parametrize("server", ["node-opcua", "asyncua"])
async def test_what_the_queue_could_not_hold_comes_from_history(
    server: str, port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The outage is four times as long as the queue; the gateway stops in the middle of reading the history."""
    monkeypatch.setattr("shopfloor.gateway.opcua.history._NODES", 4)
    with counting(server, port, history=True):
        async with Cut("127.0.0.1", port) as link:
            async with reading(source(link.port, queue=10), tmp_path) as run:
                await until(lambda: len(run.arrivals) > 5)
                await link.refuse()
                await asyncio.sleep(2)
                await link.accept()
                await asyncio.wait_for(run.late.wait(), 20)
            begun = run.backfilled()
            assert run.source.marks.gaps, "all was read before the gateway stopped: nothing is tested"
            async with reading(source(link.port, queue=10), tmp_path) as run:
                await until(lambda: run.arrivals and not run.source.marks.gaps)
                await asyncio.sleep(0.5)
        assert (run.lost(), run.duplicated(), run.source.gaps, run.source.detail) == (0, 0, 0, "")
        assert run.backfilled() > begun > 0


@pytest.mark.parametrize("server", ["node-opcua", "asyncua"])
async def test_a_killed_gateway_goes_on_in_its_session(
    server: str, counter: Callable[[str], int], tmp_path: Path
) -> None:
    """No history here: what comes between two runs lies in the server's queues, and what was in flight comes again.

    A server may send the present value once more, with its old time, to a client that has forgotten it.
    """
    port = counter(server)
    for seconds in (0.33, 0.71):
        command = [sys.executable, counters.__file__, str(port), str(tmp_path)]
        process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
        assert process.stdout is not None
        await process.stdout.readline()
        await asyncio.sleep(seconds)
        process.kill()
        await process.communicate()
    async with reading(source(port), tmp_path) as run:
        await until(lambda: len(run.arrivals) > 5)
    async with reading(source(port), tmp_path) as run:
        await until(lambda: len(run.arrivals) > 5)
    assert (run.lost(), run.doubled(), run.source.gaps) == (0, 0, 0)
    assert min(len(one) for one in run.counts().values()) > 60


async def test_a_server_that_starts_again_is_found_again_and_its_hole_is_said(port: int, tmp_path: Path) -> None:
    """Its session, its subscriptions and what it would have reported are gone; the variables are there by name."""
    async with reading(source(port, 3), tmp_path) as run:
        with counting("node-opcua", port, variables=3):
            await until(lambda: len(run.arrivals) > 5)
        before = len(run.arrivals)
        with counting("node-opcua", port, variables=3):
            await until(lambda: len(run.arrivals) > before + 5 and run.source.gaps)
    assert run.source.gaps == 3
    assert run.source.detail.startswith("3 variables have a hole between 20")
    assert "that the server's history does not fill, the first is" in run.source.detail


async def test_an_encrypted_session_with_a_login_goes_on(
    stand: Stand, port: int, data: Path, tmp_path: Path, server: Issued, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "right").write_text("right\n")
    secure_sources.trusting(data, server)
    more = {"user": "anna", "password_file": str(tmp_path / "right"), "tags": {"Counter": "counter"}, "queue": 500}
    serving = stand.serving(port, server, ["NoSecurity", secure_sources.BEST], users=Passwords(), counting=0.05)
    async with serving, Cut("127.0.0.1", port) as link:
        one = secure_sources.source(link.port, data, **more)
        async with reading(one, tmp_path / "spool") as run:
            await until(lambda: len(run.arrivals) > 5)
            await link.refuse()
            await until(lambda: "Nothing listens" in run.feed.state.detail)
            await link.accept()
            resumed = await run.after(time.monotonic())
            await asyncio.sleep(0.5)
            one.retire()
    assert (run.lost(), run.duplicated(), run.source.gaps) == (0, 0, 0)
    assert "made anew" not in caplog.text
    assert resumed < 2
