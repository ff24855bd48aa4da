"""Windows of labels: a CSV file of starts and ends becomes a tag that is 1 within a window and 0 outside."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from typing import Final, TextIO

import numpy as np
import pyarrow as pa
from shopfloor.plant import Batch, QuestionError
from shopfloor.services.exchange.columns import Refused, as_row
from shopfloor.services.exchange.lookout.moments import service_times

LABEL: Final = "anomaly.labelled"
Window = tuple[int, int]
"""Start and end, UTC ns."""


class LabelsInput:
    """Reads windows of `tag`, which is 0 outside of them, from `since` (UTC ns) on; further columns are ignored."""

    def __init__(self, file: TextIO, tag: str, zone: str = "UTC", since: int | None = None) -> None:
        self._file, self._tag, self._zone, self._since = file, tag, zone, since
        self._rows: dict[int, list[str]] = {}
        self.windows = 0
        self.joined = 0

    @property
    def head(self) -> str:
        """Nothing: such a file has no header."""
        return ""

    def aside(self, line: int, sentence: str) -> str:
        """The row as it was."""
        return as_row(self._rows.get(line, []), 2, line, sentence)

    def parts(self) -> Iterator[tuple[list[Batch], list[Refused]]]:
        """All at once: a label file is short."""
        lines = csv.reader(self._file)
        try:
            self._rows = {number: row for number, row in ((lines.line_num, row) for row in lines) if row}
        except csv.Error as problem:
            raise QuestionError(f"Line {lines.line_num} of the labels is no CSV ({problem}): correct it.") from problem
        windows, refused = list[Window](), list[Refused]()
        for number, row in self._rows.items():
            window = _window(row, self._zone)
            if isinstance(window, tuple):
                windows.append(window)
            elif number > 1 or any(character.isdigit() for cell in row for character in cell):
                refused.append((number, window))
        self.windows, apart = len(windows), joined(windows)
        self.joined = len(windows) - len(apart)
        yield ([_batch(self._tag, apart, self._since)] if apart else []), refused


def joined(windows: Sequence[Window]) -> list[Window]:
    """The windows in order; those that overlap or touch are one.

    >>> joined([(5, 7), (1, 3), (2, 4), (4, 5)])
    [(1, 7)]
    """
    found: list[Window] = []
    for start, end in sorted(windows):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return found


def _window(row: Sequence[str], zone: str) -> Window | str:
    """A window, or why it is none."""
    if len(row) < 2:
        return "it has no end: write START,END"
    ends = []
    for name, text in zip(("start", "end"), row, strict=False):
        try:
            (time,) = service_times(pa.array([text.strip()]), 1, zone).tolist()
        except pa.ArrowInvalid:
            return f"the {name} {text[:50]!r} is no time: write it as in 2020-01-31 12:00:00"
        ends.append(time)
    start, end = ends
    if start < 0:
        return "it begins before 1970"
    return (start, end) if start < end else "it does not end after its start"


def _batch(tag: str, windows: Sequence[Window], since: int | None) -> Batch:
    before = [since] if since is not None and since < windows[0][0] else []
    time = np.array([*before, *(moment for window in windows for moment in window)], np.int64)
    value = np.array([*(0 for _ in before), *(1, 0) * len(windows)], np.int64)
    return Batch((tag,), np.zeros(len(time), np.int32), time, value, np.zeros(len(time), np.uint32))
