"""Checkpoints: the whole state of a simulation in one file, without pickle, written atomically."""

from __future__ import annotations

import io
import json
import os
import zipfile
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
from shopfloor.plant import ShopfloorError
from shopfloor.simulators.faults import Injection
from shopfloor.simulators.line import Line
from shopfloor.simulators.state import State

FORMAT: Final = 1


class CheckpointError(ShopfloorError):
    """A file that is no checkpoint of this line."""


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """Assets of a line at step `n` (the next one), with their setpoints and injected faults."""

    line: str
    assets: tuple[str, ...]
    seed: int
    n: int
    injections: tuple[Injection, ...]
    state: State

    def to_bytes(self) -> bytes:
        """One npz archive: the columns, and a JSON header as bytes."""
        header = {
            "format": FORMAT,
            "line": self.line,
            "assets": self.assets,
            "seed": self.seed,
            "n": self.n,
            "injections": [astuple(each) for each in self.injections],
        }
        buffer = io.BytesIO()
        np.savez(buffer, header=np.frombuffer(json.dumps(header).encode(), np.uint8), **self.state.arrays())  # type: ignore[arg-type]
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read what `to_bytes` wrote; anything else raises `CheckpointError`."""
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as archive:
                columns = {name: archive[name] for name in archive.files}
            header = json.loads(columns.pop("header").tobytes())
        except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as problem:
            raise CheckpointError(f"{len(data)} bytes are no checkpoint: delete the file to begin anew.") from problem
        if header.get("format") != FORMAT:
            raise CheckpointError(f"A checkpoint has the format {header.get('format')}: {FORMAT} was expected.")
        injections = tuple(Injection(*each) for each in header["injections"])
        assets = tuple(header["assets"])
        return cls(header["line"], assets, header["seed"], header["n"], injections, State(**columns))

    def check(self, line: Line) -> None:
        """Refuse (`CheckpointError`) what another line, or another version of this one, has written."""
        rows = len(self.assets)
        wanted = ((rows, len(line.states)), (rows, len(line.setpoints)), (rows, len(line.tags)))
        found = (self.state.x.shape, self.state.u.shape, self.state.lag.shape)
        if self.line != line.id or wanted != found:
            raise CheckpointError(
                f"A checkpoint of {self.line} with columns {found} does not fit {line.id} with {wanted}:"
                " delete it to begin anew."
            )

    def save(self, path: Path) -> None:
        """Replace the file at `path`; a crash leaves the old one or the new one."""
        save_atomically(path, self.to_bytes())

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the file at `path`; a missing file raises `FileNotFoundError`, a damaged one `CheckpointError`."""
        try:
            return cls.from_bytes(path.read_bytes())
        except CheckpointError as problem:
            raise CheckpointError(f"{path}: {problem}") from problem


def save_atomically(path: Path, data: bytes) -> None:
    """Write beside, flush to the disk, rename."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
