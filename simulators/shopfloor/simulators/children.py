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
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Final

from shopfloor.plant import ShopfloorError
from shopfloor.simulators.checkpoint import Checkpoint
from shopfloor.simulators.lines import load

WORTH_A_CHILD: Final = 300.0
"""Seconds of past from which a compiled child process is quicker than stepping here."""
NEAR_NS: Final = 5 * 10**9
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Past:
    """The history that is to be written: of these assets, from `start` to `end` (UTC ns), into `folder`."""

    line: str
    seed: int
    machines: int
    start: int
    end: int
    folder: Path
    truth: Path


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


@asynccontextmanager
async def history(past: Past | None) -> AsyncIterator[None]:
    """Have `past` written while inside; what is missing when it ends early is written after the next start."""
    if past is None:
        yield
        return
    words = [past.line, past.seed, past.machines, past.start, past.end, past.folder, past.truth]
    process = await _start("history", *map(str, words))
    watcher = asyncio.create_task(_watch(process, past.line))
    try:
        yield
    finally:
        watcher.cancel()
        await _end(process)


async def _watch(process: asyncio.subprocess.Process, line: str) -> None:
    if await process.wait():
        _LOG.error("Writing the history of %s failed (exit %s).", line, process.returncode)


async def _start(*words: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "shopfloor.simulators.children", *words, stdin=asyncio.subprocess.PIPE
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


def _history(past: Past) -> None:
    from shopfloor.simulators import history as writer

    writer.write(past)


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
    two = jobs.add_parser("history")
    for name, kind in (("line", str), ("seed", int), ("machines", int), ("start", int), ("end", int)):
        two.add_argument(name, type=kind)
    two.add_argument("folder", type=Path)
    two.add_argument("truth", type=Path)
    args = vars(parser.parse_args())
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    _die_with_parent()
    if args.pop("job") == "advance":
        _advance(args["line"], args["checkpoint"])
        return 0
    os.nice(10)
    _history(Past(**args))
    return 0


if __name__ == "__main__":
    sys.exit(main())
