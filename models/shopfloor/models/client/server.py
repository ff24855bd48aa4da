"""A running server over HTTP: every refusal and every broken link is one sentence."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import pyarrow as pa
from shopfloor.plant import QuestionError, StoreError

ARROW: Final = "application/vnd.apache.arrow.stream"
API: Final = "/api/v1"
TOKEN: Final = "SHOPFLOOR_TOKEN"  # noqa: S105 (the name of a variable)
HERE: Final = "http://127.0.0.1:8000"
_BUFFER: Final = 1 << 20
_REFUSED: Final = frozenset({400, 404, 409, 413, 415, 422})


@dataclass(frozen=True, slots=True)
class Server:
    """Where to ask, and by which token (default: the variable SHOPFLOOR_TOKEN, if any).

    What the server refuses raises `QuestionError` with its sentence; a server that is not there, refuses the token
    or breaks off raises `StoreError`. `timeout_s` is between two pieces of an answer.
    """

    url: str = HERE
    token: str | None = field(default=None, repr=False)
    timeout_s: float = 60.0

    def arrow(self, path: str, params: Mapping[str, Any]) -> pa.Table:
        """What `GET path` answers as an Arrow stream, taken in while it comes."""
        with self._asked("GET", path, params=params, headers={"Accept": ARROW}) as answer:
            _check(answer, self.url, ARROW)
            return pa.ipc.open_stream(io.BufferedReader(_Pieces(answer.iter_bytes()), _BUFFER)).read_all()

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """What `GET path` answers in JSON."""
        return self._json("GET", path, params=params)

    def post(self, path: str, params: Mapping[str, Any], body: bytes) -> Any:
        """What `POST path` answers to some bytes, in JSON."""
        return self._json("POST", path, params=params, content=body, headers={"Content-Type": BYTES})

    def send(self, path: str, body: Any) -> Any:
        """What `POST path` answers to JSON, in JSON."""
        return self._json("POST", path, json=body)

    def _json(self, method: str, path: str, **asked: Any) -> Any:
        with self._asked(method, path, **asked) as answer:
            _check(answer, self.url, "application/json")
            answer.read()
            return answer.json()

    @contextmanager
    def _asked(self, method: str, path: str, headers: Mapping[str, str] | None = None, **asked: Any) -> Iterator[Any]:
        token = self.token or os.environ.get(TOKEN)
        headers = {**(headers or {}), **({"Authorization": f"Bearer {token}"} if token else {})}
        try:
            with (
                httpx.Client(base_url=self.url, timeout=self.timeout_s, trust_env=False) as client,
                client.stream(method, API + path, headers=headers, **asked) as answer,
            ):
                yield answer
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as problem:
            raise QuestionError(f"{self.url!r} is no address ({problem}): write {HERE}.") from problem
        except (httpx.ConnectError, httpx.ConnectTimeout) as problem:
            raise StoreError(f"No server answers at {self.url}: start it, or name another with url=.") from problem
        except (httpx.HTTPError, pa.ArrowInvalid, OSError) as problem:
            raise StoreError(f"The answer of {self.url} broke off ({problem}): ask again.") from problem


BYTES: Final = "application/octet-stream"


def _check(answer: httpx.Response, url: str, kind: str) -> None:
    if answer.is_success and answer.headers.get("content-type", "").startswith(kind):
        return
    answer.read()
    try:
        said = str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        said = f"{url} answers {answer.status_code}: it is no Shopfloor server; name another with url=."
        raise StoreError(said) from None
    raise QuestionError(said) if answer.status_code in _REFUSED else StoreError(said)


class _Pieces(io.RawIOBase):
    """Pieces of an answer as a file, so that not all of it lies in memory twice."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest = pieces, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            if (piece := next(self._pieces, None)) is None:
                return 0
            self._rest = memoryview(piece)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
