"""A copy of the store in InfluxDB, or in any server that speaks its `/api/v2/write` (VictoriaMetrics).

The store's own segments are the buffer: a segment counts as copied when the server took all of it, and that is written
down in the store's database. An outage of the server loses nothing; what is sent twice is the same point.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pyarrow as pa
from shopfloor.plant import SinkUnavailable, StoreError
from shopfloor.services.historian import catalogue
from shopfloor.services.historian.dictionary import Dictionary
from shopfloor.services.historian.lineprotocol import prefix, render
from shopfloor.services.historian.log import Log
from shopfloor.services.historian.segment import Segment, group_rows
from shopfloor.services.historian.shelf import Shelf

if TYPE_CHECKING:
    from influxdb_client.client.write_api import WriteApi

_log = logging.getLogger(__name__)
_PAUSE_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class InfluxTarget:
    """Where the copy goes."""

    url: str
    org: str
    bucket: str
    token: str
    timeout_s: float = 10.0


class Mirror:
    """Copies published segments to the target on a thread of its own, oldest id first."""

    def __init__(self, target: InfluxTarget, log: Log, shelf: Shelf, tags: Dictionary, writing: threading.Lock) -> None:
        self.trouble = ""
        self.copied_rows = 0
        self._target, self._log, self._shelf, self._tags, self._writing = target, log, shelf, tags, writing
        self._prefixes: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="historian-mirror", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop after the request at hand."""
        self._stop.set()
        self._thread.join()

    def waiting(self) -> list[Segment]:
        """Segments the target has not taken yet."""
        with self._writing:
            copied = self._log.mirrored()
        return sorted(
            (s for s in self._shelf.segments() if s.id not in copied and not s.damage), key=lambda segment: segment.id
        )

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._copy_all()
                self.trouble = ""
            except _problems() as problem:
                sentence = f"{self._target.url} does not take the copy ({_short(problem)}): it will be tried again."
                if sentence != self.trouble:
                    _log.warning("%s", sentence)
                self.trouble = sentence
            self._stop.wait(_PAUSE_S)

    def _copy_all(self) -> None:
        segments = self.waiting()
        if not segments:
            return
        with _write_api(self._target) as api:
            for segment in segments:
                if not self._copy(api, segment):
                    return

    def _copy(self, api: WriteApi, segment: Segment) -> bool:
        """Send a segment, row group by row group; False when asked to stop in between."""
        for group in range(len(segment.groups)):
            if self._stop.is_set():
                return False
            rows = group_rows(segment, group)
            self._prefixes += [prefix(path) for path in self._tags.paths[len(self._prefixes) :]]
            lines = render(rows, segment.kind, self._prefixes)
            api.write(self._target.bucket, self._target.org, lines)
            self.copied_rows += len(rows)
        with self._writing, self._log.transaction() as db:
            catalogue.mark_mirrored(db, segment.id)
        return True


@contextmanager
def _write_api(target: InfluxTarget) -> Iterator[WriteApi]:
    from influxdb_client import InfluxDBClient
    from influxdb_client.client.write_api import SYNCHRONOUS

    timeout = int(target.timeout_s * 1000)
    with (
        InfluxDBClient(target.url, target.token, org=target.org, timeout=timeout, retries=False) as client,
        client.write_api(write_options=SYNCHRONOUS) as api,
    ):
        yield api


def _problems() -> tuple[type[Exception], ...]:
    from influxdb_client.client.exceptions import InfluxDBError
    from urllib3.exceptions import HTTPError

    return InfluxDBError, HTTPError, OSError, pa.ArrowException, SinkUnavailable, StoreError


def _short(problem: Exception) -> str:
    return " ".join(str(problem).split())[:200]
