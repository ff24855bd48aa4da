"""Heavy work beside a live line, in polite child processes that die with their parent.

A child's standard input is a pipe that its parent never writes to: its end of file is the parent's death.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import sys
import time
from pathlib import Path
from threading import Thread
from typing import Final, Self

from shopfloor.plant import ShopfloorError
from shopfloor.plant.arrow import without_pandas
from shopfloor.simulators import history
from shopfloor.simulators.checkpoint import Checkpoint
from shopfloor.simulators.lines import load

WORTH_A_CHILD: Final = 300.0
"""Seconds of past from which a compiled child process is quicker than stepping here."""
NEAR_NS: Final = 5 * 10**9
_LOG: Final = logging.getLogger(__name__)


async def advance(line: str, checkpoint: Path, stop: asyncio.Event) -> bool:
    """Bring the checkpoint file to the present; False when `stop` was set first. Raises `ShopfloorError`."""
    process = await _start("advance", line, str(checkpoint))
    done, stopped = asyncio.ensure_future(process.wait()), asyncio.ensure_future(stop.wait())
    await asyncio.wait({done, stopped}, return_when=asyncio.FIRST_COMPLETED)
    await _end(process)
    for task in (done, stopped):
        task.cancel()
    if process.returncode and not stop.is_set():
        raise ShopfloorError(f"Going through the past of {line} failed (exit {process.returncode}): see the log above.")
    return not stop.is_set()


class History:
    """The child that computes the past of `job` and writes it, as a context: it ends when the context does.

    What is missing then is written after the next start.
    """

    def __init__(self, job: history.Job) -> None:
        self._job = job
        self._process: asyncio.subprocess.Process | None = None
        self._watcher: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._process = await _start("history", self._job.state)
        self._watcher = asyncio.create_task(self._watch(self._process))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process is not None and self._watcher is not None:
            self._watcher.cancel()
            await _end(self._process)

    async def now(self, stop: asyncio.Event) -> Checkpoint | None:
        """The state at the end of the past, as soon as the child has it; None when `stop` was set first."""
        path = Path(self._job.state) / history.NOW
        while not path.exists():
            if stop.is_set():
                return None
            if self._watcher is None or self._watcher.done():
                raise ShopfloorError(f"Computing the past of {self._job.line} failed: see the log above.")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 0.1)
        return Checkpoint.load(path)

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        if await process.wait():
            _LOG.error("Writing the history of %s failed (exit %s).", self._job.line, process.returncode)


async def _start(*words: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "shopfloor.simulators.children",
        *words,
        stdin=asyncio.subprocess.PIPE,
        start_new_session=True,
    )


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    await process.wait()
    if process.stdin is not None:
        process.stdin.close()
        with contextlib.suppress(ConnectionError):
            await process.stdin.wait_closed()


def _advance(line_id: str, path: Path) -> None:
    from shopfloor.simulators.batch import BatchRunner

    line = load(line_id)
    runner = BatchRunner(Checkpoint.load(path), line)
    while (behind := time.time_ns() - runner.n * line.dt_ns) > NEAR_NS:
        runner.advance(behind // line.dt_ns)
    runner.checkpoint().save(path)


def _history(state: Path) -> None:
    job = history.Job.load(state)
    history.prepare(job)
    os.nice(10)
    history.write_history(job)


def _die_with_parent() -> None:
    def wait() -> None:
        while os.read(0, 4096):
            pass
        os._exit(0)

    Thread(target=wait, daemon=True).start()


def main() -> int:
    """Run as `python -m shopfloor.simulators.children advance|history …`."""
    parser = argparse.ArgumentParser(prog="shopfloor.simulators.children")
    jobs = parser.add_subparsers(dest="job", required=True)
    one = jobs.add_parser("advance")
    one.add_argument("line")
    one.add_argument("checkpoint", type=Path)
    jobs.add_parser("history").add_argument("state", type=Path)
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    _die_with_parent()
    without_pandas()
    if args.job == "advance":
        _advance(args.line, args.checkpoint)
    else:
        _history(args.state)
    return 0


if __name__ == "__main__":
    sys.exit(main())
