"""InfluxDB 1.x as Debian ships it: written to over `/write`, asked in InfluxQL."""

from __future__ import annotations

import csv
import io
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shopfloor.plant import Batch
from shopfloor.services.bench.cache import binary
from shopfloor.services.bench.store import proc
from shopfloor.services.bench.store.lines import MEASUREMENT
from shopfloor.services.bench.store.questions import Answer, Question
from shopfloor.services.bench.store.server import Http, Served, answers, idle
from shopfloor.services.bench.store.stores import Asked, Disk
from shopfloor.services.bench.worker import started
from shopfloor.services.supervision.ports import free_port

_COLD_S: Final = 2
_CONFIG: Final = """\
reporting-disabled = true
bind-address = "127.0.0.1:{other}"
[meta]
dir = "{folder}/meta"
[data]
dir = "{folder}/data"
wal-dir = "{folder}/wal"
query-log-enabled = false
cache-snapshot-write-cold-duration = "{cold}s"
compact-full-write-cold-duration = "{cold}s"
[coordinator]
max-select-buckets = 0
[monitor]
store-enabled = false
[http]
bind-address = "127.0.0.1:{port}"
log-enabled = false
max-body-size = 0
[logging]
level = "error"
suppress-logo = true
"""
"""As Debian's, but quiet, and merging two seconds after the last write, so that its full merge can be waited for."""


@dataclass(frozen=True, slots=True)
class InfluxDb(Served):
    """A running server."""

    name: str = "influxdb"

    def append(self, batch: Batch) -> float:
        """Post; it answers after its log is synced."""
        body = self.lines.render(batch)
        return self.http.took_ms(lambda: self.http.post("/write", body, db="bench", precision="ns"))

    def settle(self, force: bool = False) -> None:
        """It merges by itself once it is cold."""
        idle(self.pid, 2.0 * _COLD_S)

    def ask(self, question: Question) -> Asked:
        """In InfluxQL, answered as CSV."""
        sql, columns = _query(question)
        answer, cpu, wall = self.http.timed(lambda: self.http.get("/query", db="bench", epoch="ns", q=sql))
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        if question.kind == "by_asset":
            return Asked(_by_asset(rows), cpu, wall)
        return Asked(Answer(len(rows), sum(float(row[name]) for row in rows for name in columns)), cpu, wall)

    def disk(self) -> Disk:
        """TSM files against the log, the series file and the rest."""
        data = proc.size(self.folder, "*.tsm")
        return Disk(data, proc.size(self.folder, "*") - data)


def _query(question: Question) -> tuple[str, list[str]]:
    span = f"time >= {question.start} AND time < {question.end}"
    if question.kind == "latest":
        return f"SELECT last(v) FROM {MEASUREMENT} GROUP BY area, asset, t", ["last"]  # noqa: S608
    if question.kind == "by_asset":
        area = question.tags[0].split("/")[1]
        what = f"SELECT sum(v), count(v) FROM {MEASUREMENT}"  # noqa: S608
        return f"{what} WHERE area = '{area}' AND {span} GROUP BY asset", []
    _, area, _, _, asset, tag = question.tags[0].split("/")
    where = f"WHERE area = '{area}' AND asset = '{asset}' AND t = '{tag}' AND {span}"
    if question.kind == "raw":
        return f"SELECT v, q FROM {MEASUREMENT} {where}", ["v"]  # noqa: S608
    offset = question.start % question.every
    what = f"SELECT mean(v), min(v), max(v) FROM {MEASUREMENT} {where}"  # noqa: S608
    return f"{what} GROUP BY time({question.every}ns, {offset}ns)", ["mean", "min", "max"]


def _by_asset(rows: list[dict[str, str]]) -> Answer:
    means = [float(row["sum"]) / float(row["count"]) for row in rows]
    return Answer(len(means), sum(means))


@contextmanager
def influxdb(folder: Path) -> Iterator[InfluxDb]:
    """A server with an empty database `bench` until the block ends."""
    path, port, data = binary("influxd"), free_port(), folder / "data"
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "influxdb.conf"
    config.write_text(_CONFIG.format(port=port, other=free_port(), folder=data, cold=_COLD_S))
    with started("influxdb", [path, "run", "-config", str(config)], folder, announces=False) as worker:
        http = Http(worker, port)
        answers(http, "/ping")
        http.post("/query", q="CREATE DATABASE bench")
        yield InfluxDb(_version(path), data, http)


def _version(path: str) -> str:
    said = subprocess.run([path, "version"], capture_output=True, text=True, check=False)  # noqa: S603
    return said.stdout.split()[1].lstrip("v") if len(said.stdout.split()) > 1 else ""
