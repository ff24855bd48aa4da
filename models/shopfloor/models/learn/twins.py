"""Rows, and whole assets, that are there twice: what was learned from one of them must not be scored on the other."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from shopfloor.models.learn.data import Data
from shopfloor.models.spec.memory import Ints

_MOSTLY: Final = 0.5


def same_rows(data: Data) -> Ints:
    """A code [n] for each row: rows with one code have the same inputs."""
    values = np.nan_to_num(data.values, nan=-1e300)
    return np.unique(values, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)


def twins(data: Data) -> Ints:
    """For each row [n] the first row with its inputs; itself where rows repeat because inputs have few values."""
    code = same_rows(data)
    _, first = np.unique(code, return_index=True)
    if len(first) < _MOSTLY * len(data):
        return np.arange(len(data))
    twin: Ints = first[code]
    return twin


def families(data: Data) -> Ints:
    """The groups [n], where a group of which more than half is in another one counts as the same."""
    code, names = same_rows(data), np.unique(data.group, return_inverse=True)[1].reshape(-1)
    held = np.unique(np.stack([names, code]), axis=1)
    marks = csr_array((np.ones(held.shape[1]), (held[0], held[1])))
    kinds, rows = np.bincount(held[0]), np.bincount(names)
    shared = (marks @ marks.T).tocoo()
    copied = (shared.data > _MOSTLY * kinds[shared.row]) & (kinds > _MOSTLY * rows)[shared.row]
    link = csr_array((np.ones(copied.sum()), (shared.row[copied], shared.col[copied])), shape=shared.shape)
    family: Ints = connected_components(link, directed=False)[1][names].astype(np.int64)
    return family
