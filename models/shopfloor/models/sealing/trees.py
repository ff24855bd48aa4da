"""Trees as treelite writes them, parsed and proved here before treelite sees a byte.

Treelite trusts what it reads: a child outside its tree ends the process, a circle never ends, a wrong length reads
what is not there. Layout: treelite's "v4 serialization format". The rules: every byte belongs to a field; every inner
node's children lie behind it (scoring ends) and inside the tree, and no node has two parents; every index a node holds
points into what it indexes; every number that is added up is finite.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import treelite
from numpy.typing import NDArray
from shopfloor.models.sealing.layout import COLUMNS, Head, Reader, Tree, read_head, read_tree
from treelite import gtil

_LINKS: Final = {
    "identity", "signed_square", "hinge", "sigmoid", "exponential", "exponential_standard_ratio",
    "logarithm_one_plus_exp", "identity_multiclass", "softmax", "multiclass_ova",
}  # fmt: skip
_AT_MOST: Final = 3
_MOST_TREES: Final = 100_000
_MOST_CLASSES: Final = 1_000


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """Trees that passed every check."""

    model: treelite.Model
    features: int
    classes: int
    nodes: int

    def __call__(self, x: NDArray[Any]) -> NDArray[np.float64]:
        """What the trees say of rows [n, features]: [n, classes], on one thread."""
        return tree_outputs(self.model, x)


def tree_outputs(model: treelite.Model, x: NDArray[Any]) -> NDArray[np.float64]:
    """What a model says of rows [n, features]: [n, classes], on one thread."""
    said: NDArray[np.float64] = gtil.predict(model, np.ascontiguousarray(x), nthread=1)
    return said.reshape(len(x), -1).astype(np.float64, copy=False)


def read_forest(data: bytes, features: int) -> Forest:
    """Trees over so many features; raises `ValueError` with what is wrong, in words that follow "the trees"."""
    head, trees = parse(data)
    _check_head(head, features)
    _check_nodes(head, trees)
    nodes = sum(tree.nodes for tree in trees)
    return Forest(treelite.Model.deserialize_bytes(data), features, head.classes[0], nodes)


def parse(data: bytes) -> tuple[Head, list[Tree]]:
    """Every field of every tree; raises `ValueError` when a byte is missing or left over."""
    reader = Reader(data)
    try:
        head = read_head(reader)
        _expect(0 < head.trees <= _MOST_TREES, f"declare {head.trees} trees")
        trees = [read_tree(reader, head) for _ in range(head.trees)]
    except (struct.error, UnicodeDecodeError):
        raise ValueError("are cut short") from None
    _expect(reader.at == len(data), "are followed by other bytes")
    return head, trees


def _check_head(head: Head, features: int) -> None:
    _expect(head.features == features, f"expect {head.features} features where {features} were expected")
    _expect(head.targets == 1 and len(head.classes) == 1, "have several targets")
    _expect(1 <= head.classes[0] <= _MOST_CLASSES, f"declare {head.classes[0]} classes")
    count = head.classes[0]
    _expect(head.leaf_shape in ([1, 1], [1, count]), "have leaves of an impossible shape")
    scalar = head.leaf_shape == [1, 1]
    _expect(len(head.target_of) == len(head.class_of) == head.trees, "do not say which class each tree is for")
    _expect(set(head.target_of) <= ({0} if scalar else {-1}), "belong to a target that does not exist")
    of_class = set(head.class_of)
    _expect(min(of_class) >= 0 and max(of_class) < count if scalar else of_class == {-1}, "belong to no class")
    _expect(head.link in _LINKS, f"end in the unknown link {head.link[:20]!r}")
    numbers = [head.sigmoid_alpha, head.ratio_c, *head.base_scores]
    _expect(len(head.base_scores) == count and bool(np.isfinite(numbers).all()), "have no finite base scores")
    _expect(head.sigmoid_alpha > 0 and head.ratio_c > 0, "end in a link without a scale")
    _expect(head.task <= 4 and head.averaged <= 1 and head.options == 0, "hold options that are not known")


def _check_nodes(head: Head, trees: list[Tree]) -> None:
    """The columns of all trees joined, checked at once."""
    sizes = np.array([tree.nodes for tree in trees], np.int64)
    _expect(bool((sizes > 0).all()), "hold an empty tree")
    for tree in trees:
        _check_lengths(tree)
    column = {name: np.concatenate([tree.columns[i] for tree in trees]) for i, name in enumerate(COLUMNS)}
    base = np.repeat(np.cumsum(sizes) - sizes, sizes)
    local = np.arange(sizes.sum()) - base
    inner = column["kind"] != 0
    _check_links(column, inner, local, base, np.repeat(sizes, sizes))
    _check_tests(head, column, inner)
    _check_lists(head, trees, column, inner, sizes)


def _check_lengths(tree: Tree) -> None:
    for (name, (_, length)), values in zip(COLUMNS.items(), tree.columns, strict=True):
        if len(values) != tree.nodes and length != "list" and (length == "node" or len(values)):
            raise ValueError(f"have a column {name} that is too short or too long")
    _expect(tree.options == (0, 0) and tree.categorical <= 1, "hold options that are not known")


def _check_links(column: Any, inner: Any, local: Any, base: Any, size: Any) -> None:
    parents = np.zeros(len(local), np.int64)
    for side in ("left", "right"):
        child = column[side].astype(np.int64)
        _expect(bool((child[~inner] == -1).all()), "hold a leaf with children")
        _expect(bool((child[inner] > local[inner]).all()), "have a child before its parent")
        _expect(bool((child[inner] < size[inner]).all()), "have a child outside its tree")
        parents += np.bincount((child + base)[inner], minlength=len(local))
    _expect(bool((parents == (local > 0)).all()), "have a node with no parent or with two")


def _check_tests(head: Head, column: Any, inner: Any) -> None:
    split = column["split"][inner]
    _expect(bool(((split >= 0) & (split < head.features)).all()), "split on a feature that does not exist")
    _expect(bool((column["split"][~inner] == -1).all()), "split in a leaf")
    kind, compare, threshold = column["kind"], column["compare"], column["threshold"]
    _expect(bool(((kind >= 0) & (kind <= 2)).all()), "hold a node of an unknown kind")
    numeric = kind == 1
    _expect(bool((compare[numeric] == _AT_MOST).all()), "compare in another way than scikit-learn")
    inside = threshold[numeric]
    _expect(not bool((np.isnan(inside) | (inside == -np.inf)).any()), "hold a threshold that is no number")
    for name in ("leaf", "hessian", "gain"):
        _expect(bool(np.isfinite(column[name]).all()), f"hold a {name} that is no number")
    unused = [compare[~numeric], threshold[~numeric], column["leaf"][inner], column["default_left"][~inner]]
    unused.append(column["category_right"][kind != 2])
    _expect(not any(bool(values.any()) for values in unused), "hold values where none are used")
    for name in ("default_left", "category_right", "cover_known", "hessian_known", "gain_known"):
        _expect(bool((column[name] <= 1).all()), "hold a truth value that is neither")


def _check_lists(head: Head, trees: list[Tree], column: Any, inner: Any, sizes: Any) -> None:
    """Leaf vectors and categories: the nodes share their tree's list out, one after the other, with nothing left."""
    _check_shares("vector", trees, column, ~inner, sizes)
    _check_shares("categories", trees, column, column["kind"] == 2, sizes)
    length = column["vector_end"] - column["vector_begin"]
    wanted = 0 if head.leaf_shape == [1, 1] else head.leaf_shape[1]
    _expect(bool((length[~inner] == wanted).all()), "have leaves of another shape than declared")
    _expect(bool(np.isfinite(column["vector"]).all()), "hold a leaf that is no number")
    tree_of = np.repeat(np.arange(len(trees)), sizes)
    categorical = np.bincount(tree_of[column["kind"] == 2], minlength=len(trees)) > 0
    told = np.array([tree.categorical for tree in trees]) > 0
    _expect(bool((told == categorical).all()), "do not say whether they hold categories")


def _check_shares(name: str, trees: list[Tree], column: Any, users: Any, sizes: Any) -> None:
    begin, end, last = column[f"{name}_begin"], column[f"{name}_end"], np.cumsum(sizes) - 1
    before = np.concatenate([np.zeros(1, np.uint64), end[:-1]])
    before[last[:-1] + 1] = 0
    held = np.array([len(tree.column(name)) for tree in trees], np.uint64)
    whole = (begin == before).all() and (begin <= end).all() and (end[last] == held).all()
    _expect(bool(whole and (begin == end)[~users].all()), f"point outside their {name}")


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ValueError(otherwise)
