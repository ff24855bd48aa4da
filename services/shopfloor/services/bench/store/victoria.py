"""VictoriaMetrics as Debian ships it: written to in line protocol, asked in MetricsQL and by export."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from shopfloor.plant import Batch
from shopfloor.services.bench.cache import binary
from shopfloor.services.bench.store import proc
from shopfloor.services.bench.store.lines import MEASUREMENT
from shopfloor.services.bench.store.questions import Answer, Question
from shopfloor.services.bench.store.server import Http, Served, answers, idle
from shopfloor.services.bench.store.stores import Asked, Disk
from shopfloor.services.bench.worker import started
from shopfloor.services.supervision.ports import free_port

_NS: Final = 1e9
_MS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Victoria(Served):
    """A running server."""

    name: str = "victoriametrics"

    def append(self, batch: Batch) -> float:
        """Post; it answers before anything is on the disk."""
        body = self.lines.render(batch)
        return self.http.took_ms(lambda: self.http.post("/write", body, precision="ns"))

    def settle(self, force: bool = False) -> None:
        """Flush, and with `force` merge all parts of a month into one; then wait for its own merges."""
        self.http.get("/internal/force_flush")
        if force:
            self.http.get("/internal/force_merge")
        idle(self.pid, 2.0)

    def ask(self, question: Question) -> Asked:
        """One call, or three for buckets (mean, min, max); its cache of answers is passed by."""
        said = [self.http.timed(partial(self.http.get, path, **what)) for path, what in _calls(question)]
        cpu, wall = sum(one[1] for one in said), sum(one[2] for one in said)
        return Asked(_counted(question, [one[0].text for one in said]), cpu, wall)

    def disk(self) -> Disk:
        """Its data folder against its index and the rest."""
        data = proc.size(self.folder / "data", "*")
        return Disk(data, proc.size(self.folder, "*") - data)


def _calls(question: Question) -> list[tuple[str, dict[str, Any]]]:
    end_ms = question.end // _MS - 1
    if question.kind == "latest":
        return [_instant(f"last_over_time({MEASUREMENT}_v[11m])", question.end / _NS)]
    if question.kind == "by_asset":
        area, width = question.tags[0].split("/")[1], (question.end - question.start) // _MS
        parts = [f'sum by (asset) ({name}_over_time({MEASUREMENT}_v{{area="{area}"}}[{width}ms]))' for name in _MEAN]
        return [_instant(" / ".join(parts), end_ms / 1e3)]
    _, area, _, _, asset, tag = question.tags[0].split("/")
    one = f'{{area="{area}",asset="{asset}",t="{tag}"}}'
    if question.kind == "raw":
        match = f'{{__name__=~"{MEASUREMENT}_[vq]",{one[1:]}'
        return [("/api/v1/export", {"match[]": match, "start": question.start / _NS, "end": end_ms / 1e3})]
    every = question.every // _MS
    first = (question.start + question.every) // _MS - 1
    span = {"start": first / 1e3, "end": end_ms / 1e3, "step": f"{every}ms", "nocache": "1"}
    queries = [f"{name}_over_time({MEASUREMENT}_v{one}[{every}ms])" for name in ("avg", "min", "max")]
    return [("/api/v1/query_range", {"query": query, **span}) for query in queries]


_MEAN: Final = ("sum", "count")


def _instant(query: str, at: float) -> tuple[str, dict[str, Any]]:
    return "/api/v1/query", {"query": query, "time": at, "nocache": "1"}


def _counted(question: Question, texts: list[str]) -> Answer:
    if question.kind == "raw":
        series = [json.loads(line) for line in texts[0].splitlines()]
        values = [value for one in series if one["metric"]["__name__"] == f"{MEASUREMENT}_v" for value in one["values"]]
        return Answer(len(values), float(sum(values)))
    series = [one for text in texts for one in json.loads(text)["data"]["result"]]
    if question.kind == "buckets":
        columns = [[float(value) for _, value in one["values"]] for one in series]
        return Answer(len(columns[0]), sum(map(sum, columns)))
    return Answer(len(series), sum(float(one["value"][1]) for one in series))


@contextmanager
def victoria(folder: Path) -> Iterator[Victoria]:
    """An empty server until the block ends."""
    path, port, data = binary("victoria-metrics"), free_port(), folder / "data"
    command = [
        path, f"-storageDataPath={data}", f"-httpListenAddr=127.0.0.1:{port}", "-retentionPeriod=100y",
        "-search.latencyOffset=0s", "-loggerLevel=ERROR",
    ]  # fmt: skip
    with started("victoriametrics", command, folder, announces=False) as worker:
        http = Http(worker, port)
        answers(http, "/health")
        yield Victoria(_version(path), data, http)


def _version(path: str) -> str:
    """As it says, or as the package manager does: Debian's build has no version of its own."""
    for command in ([path, "-version"], ["dpkg-query", "-W", "-f", "${Version}", "victoria-metrics"]):
        with contextlib.suppress(OSError):
            said = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
            if found := re.search(r"\d+\.\d+\.\d+", said.stdout):
                return found[0]
    return ""
