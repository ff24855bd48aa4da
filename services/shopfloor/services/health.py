"""Health: one answer to "is the plant seen?", from the processes, the sources, the store and the brain."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil
from shopfloor.gateway.version import installed_version
from shopfloor.plant.config import PlantConfig
from shopfloor.plant.counted import counted
from shopfloor.services.alarms.sources import PATIENCE_S, Link
from shopfloor.services.catalog import origin_of
from shopfloor.services.clock import Clock, to_ms
from shopfloor.services.gateways import Gateways, Post
from shopfloor.services.importing import Importing

PROCESSES: Final = "SHOPFLOOR_PROCESSES"


@dataclass
class Health:
    """Computes the answer of `GET health`. `store` and `brain` are asked for their own part.

    `signing_in` says what is in the way of signing in at the identity provider.
    """

    config: PlantConfig
    gateways: Gateways
    clock: Clock
    importing: Importing
    store: Callable[[], Mapping[str, Any]]
    brain: Callable[[], Mapping[str, Any]]
    judging: Callable[[], bool]
    processes_file: Path | None = None
    signing_in: Callable[[], str] = str
    _process: psutil.Process = field(default_factory=psutil.Process)
    _cpu: tuple[float, float] = (0.0, 0.0)
    _percent: float = 0.0

    def answer(self) -> dict[str, Any]:
        """The whole answer, ready for JSON."""
        now = self.clock()
        sources = self.sources(now)
        store = dict(self.store())
        history = self.importing.answer()
        status, sentence = self._judge(sources, store, now)
        return {
            "status": status,
            "sentence": sentence,
            "time": to_ms(now),
            "version": installed_version(),
            "processes": self._processes(sources, now),
            "sources": sources,
            "history": {**history, "oldest": store.pop("oldest", None), "newest": store.pop("newest", None)},
            "brain": dict(self.brain()),
            "store": store,
            "timezone": self.config.plant.timezone,
            "shifts": [shift.name for shift in self.config.plant.shifts],
        }

    def sources(self, now: int) -> list[dict[str, Any]]:
        """Every source of every gateway, and those of the plant file that no gateway has named yet."""
        rows = [_source(post, source, now) for post in self.gateways.posts() for source in post.sources]
        named = {row["name"] for row in rows}
        return rows + [_unheard(s.name, s.kind) for s in self.config.sources if s.name not in named]

    def links(self) -> list[Link]:
        """What the alarms watch."""
        now = self.clock()
        return [
            Link(
                gateway=post.name,
                source=str(source.get("name")),
                state=str(source.get("state")),
                detail=str(source.get("detail") or ""),
                newest_age_s=_age_s(source, now),
                silent_s=post.silent_s(now),
                streams=source.get("kind") != "recording",
                dropped=int(source.get("dropped") or 0),
            )
            for post in self.gateways.posts()
            for source in post.sources
        ]

    def _judge(self, sources: Iterable[Mapping[str, Any]], store: Mapping[str, Any], now: int) -> tuple[str, str]:
        posts = self.gateways.posts()
        if store.get("state") not in {None, "ok"}:
            return "degraded", str(store.get("sentence") or f"The store is {store['state']}.")
        if not self.judging():
            return "degraded", "Alarms are no longer judged: look at the server's log and restart it."
        if not posts:
            return "starting", "No gateway has reported yet."
        for post in posts:
            if post.silent_s(now) >= PATIENCE_S:
                return "degraded", f"The gateway {post.name} has not reported for {post.silent_s(now):.0f} s."
        down = [s["name"] for s in sources if s["state"] not in {"connected", "finished"}]
        if down:
            return "degraded", f"No link to {', '.join(down)}."
        up = len([s for s in sources if s["state"] == "connected"])
        return "ok", f"{counted(up, 'source is', 'sources are')} connected."

    def _processes(self, sources: list[dict[str, Any]], now: int) -> list[dict[str, Any]]:
        rows = [self._own(sources), *(_gateway(post, now) for post in self.gateways.posts())]
        known = {row["name"]: row for row in rows if row["kind"] == "server"}
        for child in self._supervised():
            if child["kind"] == "gateway":
                _complete(rows, child)
            elif child["name"] not in known:
                rows.append(child)
        return rows

    def _own(self, sources: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "name": "server",
            "kind": "server",
            "state": "running",
            "pid": self._process.pid,
            "rss_bytes": self._process.memory_info().rss,
            "cpu_percent": self._cpu_percent(),
            "values_per_s": sum(s["values_per_s"] for s in sources),
            "newest_time": max((s["newest_time"] for s in sources if s["newest_time"]), default=None),
            "detail": self.signing_in(),
        }

    def _cpu_percent(self) -> float:
        """Share of one core since the last answer that was at least half a second ago."""
        times = self._process.cpu_times()
        used, now = times.user + times.system, time.monotonic()
        before, then = self._cpu
        if now - then >= 0.5:
            self._percent = 100 * (used - before) / (now - then) if then else 0.0
            self._cpu = (used, now)
        return round(self._percent, 1)

    def _supervised(self) -> list[dict[str, Any]]:
        """Broker, simulators and gateway as the supervisor sees them."""
        if self.processes_file is None:
            return []
        try:
            rows = json.loads(self.processes_file.read_text("utf-8"))["processes"]
        except (OSError, ValueError, KeyError):
            return []
        return [{**_BLANK, **row} for row in rows if row.get("kind") != "server"]


_BLANK: Final[dict[str, Any]] = {
    "name": "",
    "kind": "",
    "state": "",
    "pid": None,
    "rss_bytes": None,
    "cpu_percent": None,
    "values_per_s": None,
    "newest_time": None,
    "detail": "",
}


def _gateway(post: Post, now: int) -> dict[str, Any]:
    silent = post.silent_s(now)
    return {
        **_BLANK,
        "name": post.name,
        "kind": "gateway",
        "state": "running" if silent < PATIENCE_S else "silent",
        "pid": post.body.get("pid"),
        "rss_bytes": post.body.get("rss_bytes"),
        "values_per_s": sum(float(s.get("values_per_s") or 0) for s in post.sources),
        "newest_time": max((s["newest_time"] for s in post.sources if s.get("newest_time")), default=None),
        "detail": _told(post) if silent < PATIENCE_S else f"It has not reported for {silent:.0f} s.",
    }


def _told(post: Post) -> str:
    """What a gateway says of its configuration, its spool and its sinks; empty when all is well."""
    parts = [post.body.get("configuration"), *(post.body.get("sinks") or {}).values()]
    said = [str(part.get("sentence") or part.get("detail") or "") for part in parts if isinstance(part, dict)]
    return " ".join(sentence for sentence in said if sentence)


def _complete(rows: list[dict[str, Any]], child: Mapping[str, Any]) -> None:
    """What the supervisor knows better of the gateway it started: whether it runs, and its use of the processor."""
    for row in rows:
        if row["kind"] == "gateway" and (row["pid"] == child["pid"] or child["state"] != "running"):
            row.update({key: child[key] for key in ("state", "pid", "cpu_percent")})
            row["detail"] = child["detail"] or row["detail"]
            return
    rows.append(dict(child))


def _source(post: Post, source: Mapping[str, Any], now: int) -> dict[str, Any]:
    silent = post.silent_s(now)
    row = {**_unheard(str(source.get("name")), str(source.get("kind"))), **source}
    row.update(gateway=post.name, origin=origin_of(post.gateway, row["name"]))
    row.update(newest_time=source.get("newest_time") or None, newest_age_s=_age_s(source, now))
    if silent >= PATIENCE_S and row["state"] != "finished":
        row.update(
            state="stopped", values_per_s=0.0, detail=f"The gateway {post.name} has not reported for {silent:.0f} s."
        )
    return row


def _age_s(source: Mapping[str, Any], now: int) -> float | None:
    newest = source.get("newest_time")
    return round(to_ms(now) - float(newest)) / 1000 if newest and math.isfinite(newest) else None


def _unheard(name: str, kind: str) -> dict[str, Any]:
    counters = dict.fromkeys(
        (
            "tags",
            "good",
            "uncertain",
            "bad",
            "reconnects",
            "accepted",
            "spooled",
            "rejected",
            "dropped",
            "backfilled",
            "gaps",
        ),
        0,
    )
    return {
        "name": name,
        "kind": kind,
        "gateway": None,
        "origin": None,
        "url": "",
        "state": "waiting",
        "detail": "No gateway has reported it yet.",
        "values_per_s": 0.0,
        "newest_time": None,
        "newest_age_s": None,
        **counters,
    }
