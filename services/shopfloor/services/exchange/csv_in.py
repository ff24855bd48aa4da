"""CSV files: long (time, tag, value and, where it is there, quality and kind) or wide (a column for each tag)."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TextIO

import numpy as np
import pyarrow as pa
from shopfloor.plant import Batch, QuestionError
from shopfloor.services.exchange.columns import Columns, Reading, Refused, as_row, understand

ROWS: Final = 50_000
LONG: Final = ("time", "tag", "value")
OWN: Final = "refused_"
"""Columns that begin so are this program's own: a file of refused lines can be corrected and imported again."""
_DELIMITERS: Final = (",", ";", "\t", "|")


class CsvInput:
    """Reads a CSV file; `header` is its first line."""

    def __init__(self, file: TextIO, reading: Reading, delimiter: str = "") -> None:
        line = file.readline()
        delimiter = delimiter or max(_DELIMITERS, key=line.count)
        self._lines = csv.reader(itertools.chain([line], file), delimiter=delimiter, strict=True)
        self.header = self._next_header()
        self._reading = reading
        self._columns = [reading.names.get(name.strip(), name.strip()) for name in self.header]
        self._refused: list[Refused] = []
        self._records: dict[int, list[str]] = {}

    @property
    def head(self) -> str:
        """The header, and the columns of this program."""
        return as_row(self.header, len(self.header), f"{OWN}line", f"{OWN}why")

    def aside(self, line: int, sentence: str) -> str:
        """The row as it was."""
        return as_row(self._records.get(line, []), len(self.header), line, sentence)

    def parts(self) -> Iterator[tuple[list[Batch], list[Refused]]]:
        """About `ROWS` values at a time."""
        is_long = set(LONG) <= set(self._columns)
        if not is_long and "time" not in self._columns:
            raise QuestionError(
                f"The columns {', '.join(self.header)[:200]} name neither time, tag and value nor time and tags:"
                " rename them with --map, as in --map Timestamp=time."
            )
        tags = [name for name in self._columns if name != "time" and not name.startswith(OWN)]
        count = ROWS if is_long else max(ROWS // max(len(tags), 1), 1)
        while taken := self._take(count):
            rows = taken if _is_text(taken.values()) else self._readable(taken)
            batches, refused = self._understand(rows, None if is_long else tags) if rows else ([], [])
            yield batches, refused + self._refused
            self._refused = []
        yield [], self._refused

    def _next_header(self) -> list[str]:
        try:
            header = next(self._lines, [])
        except csv.Error as problem:
            raise QuestionError(f"The file begins with no header ({problem}).") from problem
        if not header:
            raise QuestionError("The file begins with no header (its first line is empty).")
        if not _is_text([header]):
            raise QuestionError("The header is no UTF-8: convert the file, as with `iconv -t utf-8`.")
        return header

    def _take(self, count: int) -> dict[int, list[str]]:
        """The next rows by the number of their line."""
        rows: dict[int, list[str]] = {}
        odd: dict[int, list[str]] = {}
        while len(rows) < count:
            before = self._lines.line_num + 1
            try:
                record = next(self._lines)
            except StopIteration:
                break
            except csv.Error as problem:
                self._refused.append((before, f"it is no CSV ({problem})"))
                continue
            if len(record) == len(self._columns):
                rows[before] = record
            elif record:
                odd[before] = record
                self._refused.append((before, f"it has {len(record)} columns, the header {len(self._columns)}"))
        self._records = rows | odd
        return rows

    def _understand(self, rows: dict[int, list[str]], tags: Sequence[str] | None) -> tuple[list[Batch], list[Refused]]:
        """Long rows, or wide ones with these tags."""
        return understand(self._long(rows) if tags is None else self._wide(rows, tags), self._reading)

    def _readable(self, rows: dict[int, list[str]]) -> dict[int, list[str]]:
        """The rows that are text; the others are refused."""
        bad = {line for line, record in rows.items() if not _is_text([record])}
        self._refused += [(line, "it is no UTF-8: convert the file, as with `iconv -t utf-8`") for line in bad]
        return {line: record for line, record in rows.items() if line not in bad}

    def _long(self, rows: dict[int, list[str]]) -> Columns:
        by = dict(zip(self._columns, zip(*rows.values(), strict=True), strict=True))
        time, tag, value = (_strings(by[name]) for name in LONG)
        quality, kind = (_strings(by[name]) if name in by else None for name in ("quality", "kind"))
        return Columns(np.array(list(rows), np.int64), tag, time, value, quality, kind)

    def _wide(self, rows: dict[int, list[str]], tags: Sequence[str]) -> Columns:
        """Every cell that is not empty, line by line."""
        at = self._columns.index("time")
        places = [(place, name) for place, name in enumerate(self._columns) if name in set(tags)]
        cells = [
            (line, name, record[at], record[place])
            for line, record in rows.items()
            for place, name in places
            if record[place]
        ]
        if not cells:
            return Columns(np.empty(0, np.int64), *(pa.array([], pa.string()) for _ in range(3)))
        line, tag, time, value = zip(*cells, strict=True)
        return Columns(np.array(line, np.int64), _strings(tag), _strings(time), _strings(value))


def _is_text(records: Iterable[Sequence[str]]) -> bool:
    """Whether all bytes were UTF-8: others were kept as surrogates, which no UTF-8 has."""
    try:
        "".join(map("".join, records)).encode()
    except UnicodeEncodeError:
        return False
    return True


def _strings(texts: Iterable[str]) -> pa.StringArray:
    return pa.array(texts, pa.string())
