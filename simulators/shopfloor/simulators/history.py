"""A past for a plant: a week of history as a historian would hold it, newest first, and the state it ends in.

The state pass runs from `start` to `end` and keeps a checkpoint at each chunk; live goes on from its end at once.
Then every chunk is generated from its checkpoint, the newest first. All of it happens in a child process, because
real time must not load the compiler.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
from shopfloor.plant import Batch, Kind, ShopfloorError
from shopfloor.simulators import lines, truth
from shopfloor.simulators.batch import BatchRunner, Rows
from shopfloor.simulators.checkpoint import Checkpoint, save_atomically
from shopfloor.simulators.engine import Simulation
from shopfloor.simulators.line import Line

CHUNK: Final = 7200
"""Steps of one chunk of history."""
EVERY: Final = 600
"""A sampled tag is kept at least this often, in steps."""
MAX_ROWS: Final = 200_000
"""Rows of one recording file."""
INTERPRETED: Final = 1800
"""A gap of at most so many steps is caught up interpreted, in the process itself."""

JOB: Final = "history.json"
NOW: Final = "now.checkpoint"


class HistoryError(ShopfloorError):
    """The child process that computes the past has failed."""


@dataclass(frozen=True, slots=True)
class Job:
    """What to generate: times in UTC ns, `recordings` and `state` are folders; `ahead` files wait at most (0: any)."""

    line: str
    assets: tuple[str, ...]
    seed: int
    start: int
    end: int
    recordings: str
    state: str
    ahead: int = 60
    chunk: int = CHUNK

    def save(self) -> None:
        """Keep the job in its state folder, for the child and for a restart."""
        Path(self.state).mkdir(parents=True, exist_ok=True)
        save_atomically(Path(self.state) / JOB, json.dumps(asdict(self)).encode())

    @classmethod
    def load(cls, state: Path) -> Self:
        """The job of a state folder; a folder without one raises `FileNotFoundError`."""
        content = json.loads((state / JOB).read_text())
        return cls(**{**content, "assets": tuple(content["assets"])})


def begin(job: Job) -> subprocess.Popen[bytes]:
    """Start a job in a child process, or take up the one that its state folder already holds.

    `wait_for_now` tells when live may go on.
    """
    if not (Path(job.state) / JOB).exists():
        job.save()
    return subprocess.Popen([sys.executable, "-m", "shopfloor.simulators.history", job.state])  # noqa: S603


def wait_for_now(child: subprocess.Popen[bytes], state: Path, timeout: float = 300.0) -> Checkpoint:
    """The state at the end of history, as soon as the child has it; raises `HistoryError` when it fails."""
    deadline = time.monotonic() + timeout
    while not (state / NOW).exists():
        if child.poll() is not None and not (state / NOW).exists():
            raise HistoryError(f"The child that computes history ended with code {child.returncode}: see its log.")
        if time.monotonic() > deadline:
            raise HistoryError(f"The state of the plant was not computed within {timeout:g} s: is the machine busy?")
        time.sleep(0.05)
    return Checkpoint.load(state / NOW)


def fast_forward(line: Line, checkpoint: Checkpoint, to: int, state: Path) -> Simulation:
    """The simulation at `to` (UTC ns): a short gap is stepped here, a long one in a child that compiles."""
    steps = to // line.dt_ns - checkpoint.n
    if steps > INTERPRETED:
        source, target = state / "gap.checkpoint", state / "gap-done.checkpoint"
        checkpoint.save(source)
        arguments = ["--advance", str(source), str(steps), str(target)]
        done = subprocess.run([sys.executable, "-m", "shopfloor.simulators.history", *arguments], check=False)  # noqa: S603
        if done.returncode:
            raise HistoryError(f"Catching up {steps} s of the {line.id} line ended with code {done.returncode}.")
        checkpoint = Checkpoint.load(target)
        source.unlink()
        target.unlink()
    simulation = Simulation.resume(line, checkpoint)
    while simulation.time + line.dt_ns <= to:
        simulation.step()
    return simulation


def prepare(job: Job) -> Path:
    """The state pass: a checkpoint for each chunk, and at last the state at the end; answers the chunks' folder."""
    line, state = lines.load(job.line), Path(job.state)
    folder = state / "chunks"
    if (state / NOW).exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    runner = BatchRunner(Simulation(line, job.assets, job.seed, job.start).snapshot(), line)
    for k, (first, last) in enumerate(chunks(job, line)):
        (folder / f"{k:06d}.checkpoint").write_bytes(runner.checkpoint().to_bytes())
        runner.advance(last - first)
    runner.checkpoint().save(state / NOW)
    return folder


def chunks(job: Job, line: Line) -> list[tuple[int, int]]:
    """First and last (exclusive) step of each chunk, oldest first."""
    begin_n, end_n = job.start // line.dt_ns, job.end // line.dt_ns
    return [(n, min(n + job.chunk, end_n)) for n in range(begin_n, end_n, job.chunk)]


def batches(line: Line, assets: Sequence[str], rows: Sequence[Rows]) -> Iterator[Batch]:
    """Rows of all assets as batches of full tag paths: one kind each, at most `MAX_ROWS` rows."""
    tags = len(line.tags)
    code = np.concatenate([r.tag.astype(np.int64) + a * tags for a, r in enumerate(rows)])
    n = np.concatenate([r.n for r in rows])
    value = np.concatenate([r.value for r in rows])
    quality = np.concatenate([r.quality for r in rows])
    kinds = np.array([list(Kind).index(tag.kind) for tag in line.tags], np.int8)
    for k, kind in enumerate(Kind):
        chosen = np.flatnonzero(kinds[code % tags] == k)
        for at in range(0, len(chosen), MAX_ROWS):
            part = chosen[at : at + MAX_ROWS]
            used, index = np.unique(code[part], return_inverse=True)
            names = tuple(f"{assets[c // tags]}/{line.tags[c % tags].name}" for c in used.tolist())
            values = _values(line, kind, code[part] % tags, value[part])
            yield Batch(names, index.astype(np.int32), n[part] * line.dt_ns, values, quality[part])


def _values(
    line: Line, kind: Kind, tag: "np.typing.NDArray[np.int64]", code: "np.typing.NDArray[np.float64]"
) -> "np.typing.NDArray[np.generic]":
    if kind is Kind.FLOAT:
        return code
    if kind is Kind.INT:
        return code.astype(np.int64)
    text = [line.tags[t].render(c) for t, c in zip(tag.tolist(), code.tolist(), strict=True)]
    return np.array(text, object)


def write_history(job: Job) -> int:
    """Write all recordings of a job that are not yet written, newest chunk first; answers the rows in total."""
    line, folder = lines.load(job.line), Path(job.recordings)
    folder.mkdir(parents=True, exist_ok=True)
    checkpoints = prepare(job)
    manifest = Manifest.open(job, len(chunks(job, line)))
    for left in folder.glob("*.tmp"):
        left.unlink()
    for k in reversed(range(manifest.chunks - manifest.chunks_done)):
        _write_chunk(job, line, checkpoints / f"{k:06d}.checkpoint", chunks(job, line)[k], manifest)
    return manifest.rows_written


def _write_chunk(job: Job, line: Line, path: Path, span: tuple[int, int], manifest: Manifest) -> None:
    first, last = span
    runner = BatchRunner(Checkpoint.load(path), line)
    rows, hidden = runner.report(last - first, EVERY, truth.EVERY)
    step = -(-first // truth.EVERY) * truth.EVERY
    truth.write(Path(job.state) / "truth", f"{first:012d}", truth.table(line, job.assets, step, hidden))
    for batch in batches(line, job.assets, rows):
        _wait_for_room(Path(job.recordings), job.ahead)
        name = f"{manifest.files:06d}-{batch.kind}.arrow"
        save_atomically(Path(job.recordings) / name, batch.to_bytes())
        manifest.files += 1
        manifest.rows_written += len(batch)
    manifest.chunks_done += 1
    manifest.save(job)


def _wait_for_room(folder: Path, ahead: int) -> None:
    """Let the reader keep up, so that a week never lies on the disk twice."""
    while ahead and sum(1 for _ in folder.glob("*.arrow")) >= ahead:
        time.sleep(0.1)


@dataclass(slots=True)
class Manifest:
    """Progress of a job, in `manifest.json` of its recordings folder."""

    chunks: int
    chunks_done: int = 0
    files: int = 0
    rows_written: int = 0

    @classmethod
    def open(cls, job: Job, chunks: int) -> Self:
        """The manifest that is there, or a new one."""
        path = Path(job.recordings) / "manifest.json"
        if path.exists():
            content = json.loads(path.read_text())
            return cls(chunks, content["chunks_done"], content["files"], content["rows_written"])
        manifest = cls(chunks)
        manifest.save(job)
        return manifest

    def save(self, job: Job) -> None:
        """Rewrite the file atomically; what is expected is judged by the chunks already written."""
        done = self.chunks_done
        expected = round(self.rows_written * self.chunks / done) if done else 0
        content = {
            "rows_expected": expected,
            "rows_written": self.rows_written,
            "complete": done == self.chunks,
            "start": job.start,
            "end": job.end,
            "seed": job.seed,
            "line": job.line,
            "chunks": self.chunks,
            "chunks_done": done,
            "files": self.files,
        }
        save_atomically(Path(job.recordings) / "manifest.json", json.dumps(content).encode())


def main(arguments: Sequence[str]) -> int:
    """Child process: `STATE` does the job of that folder; `--advance IN STEPS OUT` catches up a gap."""
    if arguments[0] == "--advance":
        checkpoint = Checkpoint.load(Path(arguments[1]))
        runner = BatchRunner(checkpoint, lines.load(checkpoint.line))
        runner.advance(int(arguments[2]))
        runner.checkpoint().save(Path(arguments[3]))
        return 0
    write_history(Job.load(Path(arguments[0])))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
