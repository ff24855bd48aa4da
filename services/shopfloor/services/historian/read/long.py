"""What the API asks of a store beyond `plant.Reader`: long answers in portions, and SQL."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Protocol

import pyarrow as pa
from shopfloor.plant import Reader
from shopfloor.services.historian.options import FOREVER
from shopfloor.services.historian.read.sql import Limits, Query


class LongReader(Reader, Protocol):
    """A reader whose answers may be longer than memory."""

    def portions(self, tags: Sequence[str], start: int, end: int, rows: int = ...) -> Generator[pa.Table]:
        """What `read` answers, in tables of about `rows` rows, empty ones left out.

        All of it, or an error: a store that cannot be asked raises `StoreError`, in the middle too.
        """
        ...


class History(LongReader, Protocol):
    """A long reader that runs SQL as well."""

    def sql(
        self,
        text: str,
        *,
        tags: Sequence[str] | None = None,
        start: int = FOREVER[0],
        end: int = FOREVER[1],
        limits: Limits = ...,
        stopped: Callable[[], bool] = ...,
    ) -> Query:
        """One SELECT (DuckDB) on `samples`, `minutes`, `hours`, `tags` and `latest` of these tags in [start, end).

        Iterate over `Query.batches()`. `QuestionError` says what cannot be run, or took too long or too much memory.
        Work before the first portion ends soon after `stopped` says so.
        """
        ...
