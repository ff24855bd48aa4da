"""A store under measurement, seen from outside; and the embedded ones, each in a process of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from multiprocessing.connection import Client, Connection
from pathlib import Path
from typing import Any, Protocol, Self

from shopfloor.plant import Batch
from shopfloor.services.bench.machine import version
from shopfloor.services.bench.store import proc
from shopfloor.services.bench.store.questions import Answer, Question
from shopfloor.services.bench.worker import Worker, WorkerFailed, module, started


@dataclass(frozen=True, slots=True)
class Asked:
    """An answer and what it cost the store's process, in ms."""

    answer: Answer
    cpu_ms: float
    wall_ms: float


@dataclass(frozen=True, slots=True)
class Disk:
    """Bytes of the values themselves, and of what lies beside them: logs, indexes, catalogues."""

    data: int
    beside: int


class Store(Protocol):
    """One store that runs. Its CPU is counted, the cost of the bench itself is not."""

    @property
    def name(self) -> str:
        """As in the tables."""
        ...

    @property
    def version(self) -> str:
        """As it says itself."""
        ...

    @property
    def pid(self) -> int:
        """Its process."""
        ...

    @property
    def opened_s(self) -> float:
        """How long it took to open what lies in its folder."""
        ...

    def append(self, batch: Batch) -> float:
        """Hand a batch over; how long it took until the store said that it has it, in ms."""
        ...

    def settle(self, force: bool = False) -> None:
        """Wait until all work that follows from what it took is done; with `force`, merged as far as it goes."""
        ...

    def ask(self, question: Question) -> Asked:
        """Ask once."""
        ...

    def second(self) -> Store:
        """Another connection to the same store, for another thread."""
        ...

    def disk(self) -> Disk:
        """What lies on the disk."""
        ...


@dataclass(frozen=True, slots=True)
class Embedded:
    """A store in a child process, over a loopback connection; times are taken in the child."""

    name: str
    version: str
    worker: Worker
    folder: Path
    _connection: Connection[Any, Any]

    @property
    def pid(self) -> int:
        """The child's."""
        return self.worker.process.pid

    @property
    def opened_s(self) -> float:
        """As the child says, from nothing to a store that answers."""
        return float(self.worker.ready["open_s"])

    def append(self, batch: Batch) -> float:
        """Append as one Arrow stream."""
        return float(self._do({"do": "append"}, batch.to_bytes())["ms"])

    def settle(self, force: bool = False) -> None:
        """Flush and compact."""
        self._do({"do": "settle", "force": force})

    def ask(self, question: Question) -> Asked:
        """Ask once."""
        said = self._do({"do": "ask", "question": asdict(question)})
        return Asked(Answer(said["n"], said["total"]), said["cpu_ms"], said["wall_ms"])

    def second(self) -> Self:
        """Another connection."""
        return type(self)(self.name, self.version, self.worker, self.folder, _connected(self.worker))

    def disk(self) -> Disk:
        """Segments and rollups, or the database file, against the rest."""
        data = proc.size(self.folder, "*.parquet", "*.duckdb")
        return Disk(data, proc.size(self.folder, "*") - data)

    def close(self) -> None:
        """Close the store; the process ends with the block that started it."""
        self._do({"do": "close"})

    def _do(self, asked: dict[str, Any], body: bytes | None = None) -> dict[str, Any]:
        try:
            self._connection.send_bytes(json.dumps(asked).encode())
            if body is not None:
                self._connection.send_bytes(body)
            said: dict[str, Any] = json.loads(self._connection.recv_bytes())
        except (OSError, EOFError) as problem:
            raise WorkerFailed(f"{self.name} is gone: {self.worker.log.read_text()[-600:]}") from problem
        if "failed" in said:
            raise WorkerFailed(f"{self.name} failed: {said['failed']}")
        return said


@contextmanager
def embedded(store: str, package: str, folder: Path) -> Iterator[Embedded]:
    """`ours` or `duckdb` until the block ends; its data lies in `folder`, and stays."""
    command = module("store.child", {"store": store, "folder": str(folder / "data")})
    with started(store, command, folder) as worker:
        yield Embedded(store, version(package), worker, folder / "data", _connected(worker))


def _connected(worker: Worker) -> Connection[Any, Any]:
    return Client(("127.0.0.1", worker.ready["port"]))
