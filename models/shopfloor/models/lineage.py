"""Where a model comes from, in hashes: rows, code, installed packages."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.metadata import distributions, version
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.sealing.manifest import Lineage

_PACKAGES: Final = ("numpy", "scikit-learn", "scipy", "treelite")


def lineage(
    source: str,
    rows: Iterable[NDArray[Any]],
    *,
    source_sha: str = "",
    code: Path | None = None,
    lock: Path | None = None,
    seeds: Sequence[int] = (),
) -> Lineage:
    """Describe a training: what was asked (a query, a file and its SHA-256), the rows it got, the code that learned.

    `code` is a file or a folder of Python files, this package when left out; `lock` is a lock file, when left out the
    hash is over the names and versions of all installed distributions.
    """
    return Lineage(
        source=source,
        source_sha=source_sha,
        rows_sha=rows_sha(rows),
        code_sha=code_sha(code or Path(__file__).parent),
        lock_sha=hashlib.sha256(lock.read_bytes()).hexdigest() if lock is not None else _installed(),
        seeds=list(seeds),
        versions={name: version(name) for name in _PACKAGES} | {"python": platform.python_version()},
    )


def rows_sha(rows: Iterable[NDArray[Any]]) -> str:
    """The SHA-256 of arrays: their types, shapes and values.

    >>> rows_sha([np.zeros(2)]) == rows_sha([np.zeros((2, 1))])
    False
    """
    digest = hashlib.sha256()
    for array in rows:
        plain = np.ascontiguousarray(array)
        digest.update(f"{plain.dtype.str}{array.shape}".encode() + plain.tobytes())
    return digest.hexdigest()


def code_sha(code: Path) -> str:
    """The SHA-256 of a file, or of all Python files of a folder with their names."""
    files = sorted(code.rglob("*.py")) if code.is_dir() else [code]
    digest = hashlib.sha256()
    for file in files:
        content = file.read_bytes()
        digest.update(f"{file.relative_to(code)} {len(content)}\n".encode() + content)
    return digest.hexdigest()


@cache
def _installed() -> str:
    names = sorted({f"{found.name}=={found.version}".lower() for found in distributions()})
    return hashlib.sha256("\n".join(names).encode()).hexdigest()
