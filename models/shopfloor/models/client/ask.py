"""Questions to a server over HTTP, answered as Arrow while it comes in."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
import numpy as np
import pyarrow as pa
from shopfloor.models.client.history import History
from shopfloor.plant import QuestionError, StoreError

ARROW: Final = "application/vnd.apache.arrow.stream"
TOKEN: Final = "SHOPFLOOR_TOKEN"  # noqa: S105 (the name of a variable)
HERE: Final = "http://127.0.0.1:8000"
Moment = datetime | np.datetime64 | str | int
"""A time: without a zone it is UTC; a text is ISO 8601; a whole number is UTC ns."""
_BUFFER: Final = 1 << 20
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def history(
    tags: str | Sequence[str],
    start: Moment | None = None,
    end: Moment | None = None,
    *,
    url: str = HERE,
    token: str | None = None,
    timeout_s: float = 60.0,
) -> History:
    """Every stored value of some tags in [start, end): by default the last hour, or the hour before `end`.

    `tags` are paths, their beginnings, or selectors with `*`; times are exact to the microsecond. `token` is one of
    `shopfloor token create NAME --scope read`, by default that in the variable SHOPFLOOR_TOKEN, if any. A question
    that the server refuses raises `QuestionError`; a server that is not there, refuses the token or breaks off
    raises `StoreError`; `timeout_s` is between two pieces of an answer.

        history("delta/frames/*/cell-a", "2026-11-01", "2026-11-08").pandas()
    """
    asked: dict[str, Any] = {"tag": [tags] if isinstance(tags, str) else list(tags)}
    asked |= {name: ns(at) / 1e6 for name, at in (("start", start), ("end", end)) if at is not None}
    token = token or os.environ.get(TOKEN)
    headers = {"Accept": ARROW} | ({"Authorization": f"Bearer {token}"} if token else {})
    try:
        with (
            httpx.Client(base_url=url, timeout=timeout_s, trust_env=False) as client,
            client.stream("GET", "/api/v1/history/read", params=asked, headers=headers) as answer,
        ):
            _check(answer, url)
            whole = io.BufferedReader(_Pieces(answer.iter_bytes()), _BUFFER)
            return History(pa.ipc.open_stream(whole).read_all())
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as problem:
        raise QuestionError(f"{url!r} is no address ({problem}): write {HERE}.") from problem
    except (httpx.ConnectError, httpx.ConnectTimeout) as problem:
        raise StoreError(f"No server answers at {url}: start it, or name another with url=.") from problem
    except (httpx.HTTPError, pa.ArrowInvalid, OSError) as problem:
        raise StoreError(f"The answer of {url} broke off ({problem}): ask again.") from problem


def ns(moment: Moment) -> int:
    """UTC ns.

    >>> ns("2026-01-31T12:00:00+01:00"), ns(np.datetime64("2026-01-31T11:00")), ns(5)
    (1769857200000000000, 1769857200000000000, 5)
    """
    if isinstance(moment, np.datetime64):
        return int(moment.astype("datetime64[ns]").astype(np.int64))
    if isinstance(moment, str):
        return ns(_datetime(moment))
    if isinstance(moment, datetime):
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return (aware - _EPOCH) // timedelta(microseconds=1) * 1_000
    return moment


def _datetime(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as problem:
        raise QuestionError(f"{text[:50]!r} is no time: write it as in 2026-01-31T12:00:00Z.") from problem


def _check(answer: httpx.Response, url: str) -> None:
    if answer.is_success and answer.headers.get("content-type", "").startswith(ARROW):
        return
    answer.read()
    try:
        said = str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        said = f"{url} answers {answer.status_code}: it is no Shopfloor server; name another with url=."
        raise StoreError(said) from None
    raise QuestionError(said) if answer.status_code in {404, 422} else StoreError(said)


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
