"""Asking a server store over HTTP; whatever goes wrong is one sentence."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import httpx
from shopfloor.plant import StoreError
from shopfloor.services.historian.remote.target import Target

Form = Mapping[str, str | Sequence[str]]


class Asking:
    """A connection for questions. Thread-safe."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._http = httpx.Client(base_url=target.url, timeout=httpx.Timeout(60, connect=5), headers=target.headers())

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    @contextmanager
    def answer(self, path: str, form: Form, accept: str = "*/*") -> Iterator[httpx.Response]:
        """POST a form and stream the answer. Raises `StoreError` when there is none, or it is a refusal."""
        headers = {"Accept": accept}
        try:
            with self._http.stream("POST", path, data=dict(form), headers=headers) as response:
                if not response.is_success:
                    said = " ".join(response.read().decode("utf-8", "replace").split())[:300]
                    raise StoreError(f"{self.target.url} did not answer a question ({response.status_code}, {said}).")
                yield response
        except (httpx.HTTPError, OSError) as problem:
            said = str(problem) or type(problem).__name__
            raise StoreError(f"{self.target.url} does not answer ({said}): history there cannot be read.") from problem


class Body(io.RawIOBase):
    """A streamed answer as a file that Arrow reads from, so that it never lies in memory as a whole."""

    def __init__(self, response: httpx.Response) -> None:
        self._parts = response.iter_bytes()
        self._rest = b""

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill what can be filled; 0 at the end."""
        while not self._rest:
            part = next(self._parts, None)
            if part is None:
                return 0
            self._rest = part
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
