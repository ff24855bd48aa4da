"""Line protocol in columns: one Arrow expression per batch, never an object per value.

Source: InfluxDB's line protocol reference (escapes of measurement, tag value and string field).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from shopfloor.plant import Kind, TagPath
from shopfloor.plant.quality import severity
from shopfloor.services.historian.rows import Rows

_FIELD: Final = {Kind.FLOAT: "value=", Kind.INT: "integer=", Kind.TEXT: 'text="'}
_AFTER: Final = {Kind.FLOAT: ",quality=", Kind.INT: "i,quality=", Kind.TEXT: '",quality='}


def prefix(path: str) -> str:
    r"""What stands before the fields of a tag: its name as measurement, the levels of its asset as tags.

    >>> prefix("delta/frames/line 1/cell/cnc=1/power")
    'power,site=delta,area=frames,line=line\\ 1,cell=cell,asset=cnc\\=1 '
    """
    tag = TagPath.parse(path)
    asset = tag.asset
    levels = {"site": asset.site, "area": asset.area, "line": asset.line, "cell": asset.cell, "asset": asset.asset}
    tags = ",".join(f"{level}={escaped(name)}" for level, name in levels.items())
    return f"{_escape(tag.name, ', ')},{tags} "


def render(rows: Rows, kind: Kind, prefixes: Sequence[str], bad: str = "value") -> bytes:
    """Rows as lines; `prefixes` by tag id. Numbers that are not finite leave only their quality.

    float64 goes into the field `value`, int64 into `integer`, text into `text`, so that no field has two types.
    Numbers of bad quality go into the field `bad`, for servers that cannot choose values by a second field.
    """
    if kind is Kind.TEXT:
        return _lines(rows, _FIELD[kind], kind, prefixes)
    parted = [(_FIELD[kind], rows)]
    if bad != "value":
        is_bad = severity(rows.quality) >= 2
        parted = [(_FIELD[kind], rows.take(~is_bad)), (f"{bad}=", rows.take(is_bad))]
    return b"".join(_numbers(part, field, kind, prefixes) for field, part in parted if len(part))


def _numbers(rows: Rows, field: str, kind: Kind, prefixes: Sequence[str]) -> bytes:
    finite = np.isfinite(rows.value)
    if finite.all():
        return _lines(rows, field, kind, prefixes)
    return _lines(rows.take(finite), field, kind, prefixes) + _qualities(rows.take(~finite), prefixes)


def _lines(rows: Rows, field: str, kind: Kind, prefixes: Sequence[str]) -> bytes:
    value = pa.array(rows.value, pa.string()) if kind is Kind.TEXT else pc.cast(pa.array(rows.value), pa.string())
    if kind is Kind.TEXT:
        for old, new in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n")):
            value = pc.replace_substring(value, pattern=old, replacement=new)
    return _join(_prefix(rows, prefixes), field, value, _AFTER[kind], *_end(rows))


def _qualities(rows: Rows, prefixes: Sequence[str]) -> bytes:
    return _join(_prefix(rows, prefixes), "quality=", *_end(rows))


def _prefix(rows: Rows, prefixes: Sequence[str]) -> pa.Array:
    used, index = np.unique(rows.tag, return_inverse=True)
    return pa.array([prefixes[tag] for tag in used.tolist()], pa.string()).take(pa.array(index))


def _end(rows: Rows) -> tuple[pa.Array | str, ...]:
    quality = pc.cast(pa.array(rows.quality), pa.string())
    return quality, "i ", pc.cast(pa.array(rows.time), pa.string()), "\n"


def _join(*parts: pa.Array | str) -> bytes:
    lines = pc.binary_join_element_wise(*parts, "")
    if not len(lines):
        return b""
    length = int(np.frombuffer(lines.buffers()[1], np.int32)[len(lines)])
    return bytes(memoryview(lines.buffers()[2])[:length])


def escaped(name: str) -> str:
    r"""The value of a tag of line protocol.

    >>> print(escaped("cnc=1, left"))
    cnc\=1\,\ left
    """
    return _escape(name, ",= ")


def _escape(text: str, special: str) -> str:
    for character in special:
        text = text.replace(character, "\\" + character)
    return text
