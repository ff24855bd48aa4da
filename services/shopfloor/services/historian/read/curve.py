"""The rows of one tag for a picture: of each row group only what is drawn, and nothing compared that lies in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from shopfloor.plant import Kind
from shopfloor.services.historian.read.scan import Scan
from shopfloor.services.historian.rows import Rows, empty, one_kind
from shopfloor.services.historian.segments.decoded import Line, parts_of
from shopfloor.services.historian.segments.segment import Segment


def curve(scan: Scan, kinds: Sequence[Kind], start: int, end: int) -> Rows:
    """What `Scan.rows` answers of the one tag that is scanned, as float64, sooner where files and runs lie apart."""
    parts = [part for kind in kinds for part in _parts(scan, kind, start, end) if len(part)]
    if not parts:
        return empty(Kind.FLOAT)
    parts.sort(key=lambda part: int(part.time[0]))
    time = np.concatenate([part.time for part in parts])
    if not bool(np.all(time[1:] > time[:-1])):  # something was stored twice, or came late: the newest wins
        return one_kind([scan.rows(kind, start, end) for kind in kinds])
    value = np.concatenate([part.value for part in parts]).astype(np.float64, copy=False)
    quality = np.concatenate([part.quality for part in parts])
    return Rows(np.broadcast_to(np.int32(0), len(time)), time, value, quality)


def _parts(scan: Scan, kind: Kind, start: int, end: int) -> Iterator[Rows]:
    for segment in scan.segments(kind, start, end):
        yield from scan.told(segment, "raw", _rows(scan, segment, start, end), len)
    yield from scan.memory(kind, start, end)


def _rows(scan: Scan, segment: Segment, start: int, end: int) -> Iterator[Rows]:
    """The tag of a row group that has but one need not be read, and often all are of the same quality."""

    def needed(line: Line) -> list[str]:
        return ["time", "value", "quality", *(["tag"] if line[0] != line[1] else [])]

    for line, columns in parts_of(segment, "", scan.wanted, (start, end), needed, sparing=True):
        tag = columns.get("tag", np.broadcast_to(np.int32(line[0]), len(columns["time"])))
        yield Rows(tag, columns["time"], columns["value"], columns["quality"])
