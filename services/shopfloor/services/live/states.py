"""State topics of the live socket (alarms, predictions, health, charts): what is so now, and what changed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from shopfloor.services.live.ring import FRAME_BYTES, Sent
from shopfloor.services.live.words import frame

KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "alarms": ("id",),
    "predictions": ("asset", "target"),
    "charts": ("asset", "name"),
}
"""Topics that are lists: what tells their items apart. Every other topic is one value."""
_KEPT_CHANGES: Final = 600
_ENVELOPE_BYTES: Final = 1_024
Key = tuple[str, ...]
Items = dict[Key, "Item"]
Scope = tuple[str, ...] | None
"""Paths of assets, or of what contains them; None: all."""


@dataclass(frozen=True, slots=True)
class Item:
    """An alarm or prediction: its asset, and how it is sent."""

    asset: str
    sent: bytes


def sees(scope: Scope, asset: str) -> bool:
    """Whether an asset is within a scope.

    >>> sees(("delta/frames",), "delta/frames/machining/a/cnc-01"), sees(("delta/fr",), "delta/frames/a")
    (True, False)
    """
    return scope is None or any(asset == path or asset.startswith(f"{path}/") for path in scope)


class StateTopic:
    """One topic. Versions count its changes; a reader that fell behind by more than 600 begins anew."""

    def __init__(self, name: str) -> None:
        self.name, self.version = name, 0
        self._keys = KEYS.get(name)
        self._items: Items = {}
        self._changes: deque[tuple[dict[Key, str], int]] = deque(maxlen=_KEPT_CHANGES)
        self._said: dict[tuple[int, Scope], list[Sent]] = {}

    def read(self, value: Any) -> Items:
        """What a provider says, encoded: may run in another thread."""
        if self._keys is None:
            return {(): Item("", msgspec.msgpack.encode(value))}
        return {
            tuple(str(item[key]) for key in self._keys): Item(str(item["asset"]), msgspec.msgpack.encode(item))
            for item in value
        }

    def show(self, items: Items) -> None:
        """Take what is so now; the version grows when that is something new."""
        old = self._items
        changed = {key: item.asset for key, item in items.items() if old.get(key) != item}
        gone = {key: old[key].asset for key in old.keys() - items.keys()}
        if not changed and not gone and self.version:
            return
        self.version += 1
        self._items = items
        self._changes.append((changed | gone, self.version))
        self._said.clear()

    def after(self, version: int, scope: Scope) -> list[Sent]:
        """Frames from one version to the newest, of some assets; from an unknown version on, the whole."""
        key = (version, scope)
        if key not in self._said:
            self._said[key] = list(self._frames(version, scope))
        return self._said[key]

    def _frames(self, version: int, scope: Scope) -> Iterable[Sent]:
        if self._keys is None:
            value = msgspec.Raw(self._items[()].sent)
            return [(self.version, frame(self.name, seq=self.version, value=value))]
        if not self.version - len(self._changes) <= version <= self.version:
            items = [item.sent for item in self._items.values() if sees(scope, item.asset)]
            return self._joined(items, [], whole=True)
        touched: dict[Key, str] = {}
        for changed, number in self._changes:
            if number > version:
                touched.update(changed)
        seen = [key for key, asset in touched.items() if sees(scope, asset)]
        items = [self._items[key].sent for key in seen if key in self._items]
        return self._joined(items, [key for key in seen if key not in self._items], whole=False)

    def _joined(self, items: Sequence[bytes], gone: Sequence[Key], *, whole: bool) -> Iterable[Sent]:
        """Frames of at most 256 kB; only with the last of them has a reader got to this version."""
        if not whole and not items and not gone:
            return
        held, size = list[msgspec.Raw](), _ENVELOPE_BYTES + sum(len(part) + 5 for key in gone for part in key)
        for item in items:
            if held and size + len(item) > FRAME_BYTES:
                yield 0, frame(self.name, seq=self.version, whole=whole, more=True, items=held, gone=gone)
                held, size, gone, whole = [], _ENVELOPE_BYTES, [], False
            held.append(msgspec.Raw(item))
            size += len(item)
        yield self.version, frame(self.name, seq=self.version, whole=whole, more=False, items=held, gone=gone)
