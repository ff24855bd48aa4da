"""The fields of treelite's serialization format, version 4, in the order in which they lie in a file."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import treelite
from numpy.typing import NDArray

_NUMBERS: Final = {2: "<f4", 3: "<f8"}
_MAJOR: Final = 4
_INSTALLED: Final = tuple(int(part) for part in re.findall(r"\d+", treelite.__version__)[1:3])


class Column(NamedTuple):
    """A column of a tree: its type ("number" is the model's), and how long: node, maybe (0 or node), list."""

    dtype: str
    length: str


COLUMNS: Final = {
    "kind": Column("i1", "node"),  # 0 leaf, 1 numerical test, 2 categorical test
    "left": Column("<i4", "node"),
    "right": Column("<i4", "node"),
    "split": Column("<i4", "node"),
    "default_left": Column("u1", "node"),
    "leaf": Column("number", "node"),
    "threshold": Column("number", "node"),
    "compare": Column("i1", "node"),
    "category_right": Column("u1", "node"),
    "vector": Column("number", "list"),
    "vector_begin": Column("<u8", "node"),
    "vector_end": Column("<u8", "node"),
    "categories": Column("<u4", "list"),
    "categories_begin": Column("<u8", "node"),
    "categories_end": Column("<u8", "node"),
    "cover": Column("<u8", "maybe"),
    "cover_known": Column("u1", "maybe"),
    "hessian": Column("<f8", "maybe"),
    "hessian_known": Column("u1", "maybe"),
    "gain": Column("<f8", "maybe"),
    "gain_known": Column("u1", "maybe"),
}
_PLACE: Final = {name: i for i, name in enumerate(COLUMNS)}


@dataclass(frozen=True, slots=True)
class Head:
    """What a model says before its trees."""

    number: str
    trees: int
    features: int
    task: int
    averaged: int
    targets: int
    classes: list[int]
    leaf_shape: list[int]
    target_of: list[int]
    class_of: list[int]
    link: str
    sigmoid_alpha: float
    ratio_c: float
    base_scores: list[float]
    options: int


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """One tree: its columns in the order of `COLUMNS`."""

    nodes: int
    categorical: int
    columns: list[NDArray[Any]]
    options: tuple[int, int]

    def column(self, name: str) -> NDArray[Any]:
        """A column by its name."""
        return self.columns[_PLACE[name]]


class Reader:
    """A place in bytes. Reading past their end raises `struct.error`."""

    __slots__ = ("at", "data")

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def values(self, form: struct.Struct) -> tuple[Any, ...]:
        """The next numbers."""
        found = form.unpack_from(self.data, self.at)
        self.at += form.size
        return found

    def array(self, dtype: np.dtype[Any]) -> NDArray[Any]:
        """The next array: a count of 8 bytes, then its values."""
        (count,) = self.values(_COUNT)
        begin, self.at = self.at, self.at + count * dtype.itemsize
        if self.at > len(self.data):
            raise struct.error
        return np.frombuffer(self.data, dtype, count, begin)

    def text(self) -> str:
        """The next text of ASCII characters."""
        return self.array(_BYTE).tobytes().decode("ascii")


_COUNT: Final = struct.Struct("<Q")
_VERSIONS: Final = struct.Struct("<3iBBQiBBi")
_SCALES: Final = struct.Struct("<ff")
_ONE: Final = struct.Struct("<i")
_TREE: Final = struct.Struct("<iB")
_OPTIONS: Final = struct.Struct("<ii")
_BYTE: Final = np.dtype("u1")
_INT: Final = np.dtype("<i4")
_TYPES: Final = {
    number: [np.dtype(number if c.dtype == "number" else c.dtype) for c in COLUMNS.values()]
    for number in _NUMBERS.values()
}


def read_head(reader: Reader) -> Head:
    """The part before the trees; raises `ValueError` for another version or type."""
    major, minor, patch, threshold, leaf, trees, features, task, averaged, targets = reader.values(_VERSIONS)
    if major != _MAJOR or not (0, 0) <= (minor, patch) <= _INSTALLED or patch < 0:
        raise ValueError(f"were written by treelite {major}.{minor}.{patch}, which is not {treelite.__version__}")
    if threshold != leaf or leaf not in _NUMBERS:
        raise ValueError("hold numbers of a type that is not known")
    lists = [reader.array(_INT).tolist() for _ in range(4)]
    link = reader.text()
    alpha, ratio = reader.values(_SCALES)
    base = reader.array(np.dtype("<f8")).tolist()
    reader.text()
    (options,) = reader.values(_ONE)
    classes, shape, target_of, class_of = lists
    return Head(
        _NUMBERS[leaf], trees, features, task, averaged, targets, classes, shape, target_of, class_of, link, alpha,
        ratio, base, options,
    )  # fmt: skip


def read_tree(reader: Reader, head: Head) -> Tree:
    """The next tree."""
    nodes, categorical = reader.values(_TREE)
    columns = [reader.array(dtype) for dtype in _TYPES[head.number]]
    return Tree(nodes, categorical, columns, reader.values(_OPTIONS))
