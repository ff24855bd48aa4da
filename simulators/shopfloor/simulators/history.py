"""A past for a plant: a week of history as a historian would hold it, newest first, and the state it ends in.

The state pass runs from `start` to `end` and keeps a checkpoint at each chunk; then every chunk is generated from its
checkpoint, the newest first. It belongs in a child process, because real time must not load the compiler.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from shopfloor.plant import Batch, Kind
from shopfloor.simulators import lines, truth
from shopfloor.simulators.batch import BatchRunner, Rows
from shopfloor.simulators.checkpoint import Checkpoint, save_atomically
from shopfloor.simulators.engine import Simulation
from shopfloor.simulators.line import Line
from shopfloor.simulators.plans import Plan, inject

CHUNK: Final = 7200
"""Steps of one chunk of history."""
EVERY: Final = 600
"""A sampled tag is kept at least this often, in steps."""
MAX_ROWS: Final = 200_000
"""Rows of one recording file."""
JOB: Final = "history.json"
NOW: Final = "now.checkpoint"


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
    plans: tuple[Plan, ...] = ()

    def save(self) -> None:
        """Keep the job in its state folder, for the child and for a restart."""
        Path(self.state).mkdir(parents=True, exist_ok=True)
        save_atomically(Path(self.state) / JOB, json.dumps(asdict(self)).encode())

    @classmethod
    def load(cls, state: Path) -> Self:
        """The job of a state folder; a folder without one raises `FileNotFoundError`."""
        content = json.loads((state / JOB).read_text())
        plans = tuple(Plan(**plan) for plan in content.get("plans", ()))
        return cls(**{**content, "assets": tuple(content["assets"]), "plans": plans})


def prepare(job: Job) -> Path:
    """The state pass: a checkpoint for each chunk, and at last the state at the end; answers the chunks' folder."""
    line, state = lines.load(job.line), Path(job.state)
    folder = state / "chunks"
    if (state / NOW).exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    simulation = Simulation(line, job.assets, job.seed, job.start)
    inject(simulation, job.plans)
    runner = BatchRunner(simulation.snapshot(), line)
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


def _values(line: Line, kind: Kind, tag: NDArray[np.int64], code: NDArray[np.float64]) -> NDArray[Any]:
    if kind is Kind.FLOAT:
        return code
    if kind is Kind.INT:
        return code.astype(np.int64)
    text = [line.tags[t].render(c) for t, c in zip(tag.tolist(), code.tolist(), strict=True)]
    return np.array(text, object)


def write_history(job: Job) -> int:
    """Write all recordings of a job that are not yet written, newest chunk first; answers the rows in total.

    A job that was interrupted goes on where it stopped; another job in the same folders begins anew.
    """
    line, folder = lines.load(job.line), Path(job.recordings)
    folder.mkdir(parents=True, exist_ok=True)
    _take_over(job)
    checkpoints = prepare(job)
    manifest = Manifest.open(job, len(chunks(job, line)))
    for left in folder.glob("*.tmp"):
        left.unlink()
    for k in reversed(range(manifest.chunks - manifest.chunks_done)):
        _write_chunk(job, line, checkpoints / f"{k:06d}.checkpoint", chunks(job, line)[k], manifest)
    return manifest.rows_written


def _take_over(job: Job) -> None:
    state = Path(job.state)
    if (state / JOB).exists() and Job.load(state) == job:
        return
    for old in (state / NOW, *(state / "chunks").glob("*.checkpoint"), Path(job.recordings) / "manifest.json"):
        old.unlink(missing_ok=True)
    job.save()


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
