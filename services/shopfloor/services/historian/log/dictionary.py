"""The tag dictionary: a path's number, never used again, and the kinds of value it has held."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.plant import Kind, PathError, RejectedError, TagPath

_KEPT: Final = 64
"""Name tables whose ids are remembered: a gateway sends the same few again and again."""

_BITS: Final = {Kind.FLOAT: 1, Kind.INT: 2, Kind.TEXT: 4}


class Dictionary:
    """Tag paths and their ids, 0, 1, 2… in order of first appearance. Written under the historian's writing lock."""

    def __init__(self, tags: Sequence[tuple[int, str, int]]) -> None:
        self.paths = [path for _, path, _ in tags]
        self._ids = {path: id_ for id_, path, _ in tags}
        self._kinds = [kinds for _, _, kinds in tags]
        self._settled = len(self.paths)
        self._widened: list[tuple[int, int]] = []
        self._learned: dict[tuple[Kind, int, str], tuple[tuple[str, ...], NDArray[np.int32]]] = {}

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def settled(self) -> int:
        """How many are there for good: their transactions were committed."""
        return self._settled

    def find(self, path: str) -> int | None:
        """Id of a path, or None when nothing was ever stored under it."""
        return self._ids.get(path)

    def held(self, ids: Iterable[int], kinds: Sequence[Kind]) -> list[Kind]:
        """Those of the kinds of value that any of these tags has ever held."""
        known = [*ids]
        return [kind for kind in kinds if any(self.holds(id_, kind) for id_ in known)]

    def holds(self, id_: int, kind: Kind) -> bool:
        """Whether the tag has ever held a value of the kind."""
        return bool(self._kinds[id_] & _BITS[kind])

    def learn(self, db: sqlite3.Connection, names: tuple[str, ...], kind: Kind) -> NDArray[np.int32]:
        """Ids of `names`; new ones are inserted in the caller's transaction.

        A name that is no tag path raises `RejectedError` and changes nothing. If the transaction fails, call `forget`.
        """
        key = (kind, len(names), names[0] if names else "")
        held = self._learned.get(key)
        if held is not None and held[0] == names:
            return held[1]
        ids = self._learn(db, names, kind)
        if len(self._learned) >= _KEPT:
            self._learned.clear()
        self._learned[key] = names, ids
        return ids

    def _learn(self, db: sqlite3.Connection, names: tuple[str, ...], kind: Kind) -> NDArray[np.int32]:
        fresh = [name for name in dict.fromkeys(names) if name not in self._ids]
        for name in fresh:
            _check(name)
        for name in fresh:
            db.execute("INSERT INTO tags VALUES (?, ?, ?)", (len(self.paths), name, _BITS[kind]))
            self._ids[name] = len(self.paths)
            self._kinds.append(_BITS[kind])
            self.paths.append(name)
        ids = np.array([self._ids[name] for name in names], np.int32)
        self._widen(db, ids, kind)
        return ids

    def settle(self) -> None:
        """The transaction was committed: what was learned stays."""
        self._settled = len(self.paths)
        self._widened.clear()

    def forget(self) -> None:
        """The transaction failed: unlearn what came since `settle`."""
        self._learned.clear()
        for id_, kinds in reversed(self._widened):
            self._kinds[id_] = kinds
        for path in self.paths[self._settled :]:
            del self._ids[path]
        del self.paths[self._settled :], self._kinds[self._settled :]
        self._widened.clear()

    def _widen(self, db: sqlite3.Connection, ids: NDArray[np.int32], kind: Kind) -> None:
        for id_ in ids.tolist():
            kinds = self._kinds[id_]
            if not kinds & _BITS[kind]:
                db.execute("UPDATE tags SET kinds = ? WHERE id = ?", (kinds | _BITS[kind], id_))
                self._widened.append((id_, kinds))
                self._kinds[id_] = kinds | _BITS[kind]


def _check(name: str) -> None:
    try:
        TagPath.parse(name)
    except PathError as problem:
        raise RejectedError(str(problem)) from problem
