"""Binary frames told in words of JSON, for scripts."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np


class Reading:
    """Reads the frames of one subscription in their order; remembers which number stands for which tag."""

    def __init__(self) -> None:
        self._tags: dict[int, str] = {}

    def told(self, data: bytes) -> tuple[str, Any]:
        """The kind of a frame and its content."""
        said = msgspec.msgpack.decode(data)
        kind = said.pop("k")
        if kind == "hello":
            return kind, self._hello(said)
        if kind == "values":
            rows = [row for part in said["parts"] for row in self._rows(part)]
            return kind, {"time": said["time"], "values": rows}
        return kind, said

    def _hello(self, said: dict[str, Any]) -> dict[str, Any]:
        if said["first"]:
            self._tags = {}
        self._tags.update(zip(np.frombuffer(said["i"], "<i4").tolist(), said["tags"], strict=True))
        return {name: said[name] for name in ("time", "boot", "resumed", "tags")}

    def _rows(self, part: dict[str, Any]) -> list[dict[str, Any]]:
        columns = (np.frombuffer(part.get(name, b""), kind).tolist() for name, kind in _COLUMNS)
        numbers = [
            {"tag": self._tags[i], "time": t, "value": None if math.isnan(v) else v, "quality": q}
            for i, t, v, q in zip(*columns, strict=True)
            if i in self._tags
        ]
        texts = [
            {"tag": self._tags[i], "time": t, "value": x, "quality": q}
            for i, t, x, q in part.get("x", ())
            if i in self._tags
        ]
        return numbers + texts


_COLUMNS = (("i", "<i4"), ("t", "<f8"), ("v", "<f8"), ("q", "<u4"))
