"""Line protocol files: the plant's own lines exactly, any others below one bucket, as the server's door takes them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import BinaryIO, Final

from shopfloor.plant import Batch
from shopfloor.plant.config.influx import InfluxDoorSection
from shopfloor.services.exchange.columns import Refused
from shopfloor.services.influx.lines import parse
from shopfloor.services.influx.names import Names
from shopfloor.services.influx.values import values

_PART: Final = 4_000_000


class LinesInput:
    """Reads line protocol; `site` and `bucket` begin the paths of lines that are not the plant's own."""

    head = ""

    def __init__(self, file: BinaryIO, unit: int, site: str, bucket: str) -> None:
        self._file, self._unit, self._bucket = file, unit, bucket
        self._names = Names(InfluxDoorSection(), site)
        self._lines: list[bytes] = []
        self._first = 1

    def parts(self) -> Iterator[tuple[list[Batch], list[Refused]]]:
        """About four megabytes at a time; a text with line breaks stays in one part."""
        while self._take():
            yield self._understand(0, len(self._lines))
            self._first += len(self._lines)

    def aside(self, line: int, sentence: str) -> str:
        """The line after a comment that says why: the file can be corrected and imported as it is."""
        text = self._lines[line - self._first].decode("utf-8", "surrogateescape").rstrip("\r\n")
        return f"# line {line}: {sentence}\n{text}\n"

    def _take(self) -> bool:
        self._lines = []
        size, is_open = 0, False
        for line in self._file:
            self._lines.append(line)
            size += len(line)
            is_open ^= (line.count(b'"') - line.count(b'\\"')) % 2 == 1
            if size > _PART and (not is_open or size > 2 * _PART):
                break
        return bool(self._lines)

    def _understand(self, start: int, stop: int) -> tuple[list[Batch], list[Refused]]:
        """The parser describes its first mistakes only: where there are more, halves are read."""
        lines = parse(b"".join(self._lines[start:stop]), self._unit, time.time_ns())
        if lines.refused > len(lines.mistakes) and stop - start > 1:
            middle = (start + stop) // 2
            ones, others = self._understand(start, middle), self._understand(middle, stop)
            return ones[0] + others[0], ones[1] + others[1]
        found = values(lines, self._names, self._bucket)
        mistakes = [*lines.mistakes, *found.mistakes]
        return found.batches, [
            (self._first + start + m.line - 1, f"{m.sentence} (column {m.column})") for m in mistakes
        ]
