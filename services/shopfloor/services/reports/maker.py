"""Makes reports in a process of their own, so that the pages and values of the server wait for nothing."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from typing import Final

from shopfloor.plant import StoreError
from shopfloor.services.reports.child import REFUSED
from shopfloor.services.reports.task import Done, Task, done

PATIENCE_S: Final = 300.0
"""A report that takes longer is given up."""
_CHILD: Final = "shopfloor.services.reports.child"
_LAST: Final = 300
_LOG: Final = logging.getLogger(__name__)


class NotMade(StoreError):  # noqa: N818 (a state of the world)
    """A report could not be made; the sentence says why."""


class Maker:
    """Makes one report at a time, from any thread: the server has other work. After `close` it makes none."""

    def __init__(self, patience: float = PATIENCE_S) -> None:
        self._patience = patience
        self._one = threading.Lock()
        self._starting = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False

    def made(self, task: Task, wait: float = -1) -> Done:
        """The report, after at most `wait` seconds for those before it; `NotMade` says what was in the way."""
        if not self._one.acquire(timeout=wait):
            raise NotMade("Other reports are being made: ask again in a minute.")
        try:
            return self._run(task.packed())
        finally:
            self._one.release()

    def close(self) -> None:
        """End the process that runs."""
        with self._starting:
            self._closed = True
            if self._process is not None:
                self._process.kill()

    def _run(self, data: bytes) -> Done:
        with self._start() as process:
            try:
                out, said = process.communicate(data, timeout=self._patience)
            except subprocess.TimeoutExpired as problem:
                process.kill()
                raise NotMade(
                    f"The report took longer than {self._patience:.0f} s and was given up: ask for a part of the plant."
                ) from problem
        if process.returncode:
            raise NotMade(self._why(process.returncode, said.decode("utf-8", "replace").strip()))
        return done(out)

    def _start(self) -> subprocess.Popen[bytes]:
        pipe = subprocess.PIPE
        with self._starting:
            if self._closed:
                raise NotMade(_STOPS)
            try:
                self._process = subprocess.Popen(  # noqa: S603 (our own module)
                    [sys.executable, "-m", _CHILD], stdin=pipe, stdout=pipe, stderr=pipe
                )
            except OSError as problem:
                raise NotMade(f"No process could be started for the report ({problem}): ask again.") from problem
        return self._process

    def _why(self, code: int, said: str) -> str:
        if code == REFUSED:
            return said
        if self._closed:
            return _STOPS
        _LOG.error("The process of a report failed (%s): %s", code, said)
        return f"The report could not be made ({said.rpartition(chr(10))[2][-_LAST:] or code}): see the server's log."


_STOPS: Final = "The server stops: ask for the report when it runs again."
