"""Generalisation in waves: one line, then 10 %, 50 % and all of a scope's assets, always the same ones.

Who comes when is decided by a hash of the asset, the model and its version: every server says the same, a later wave
holds all of an earlier one, and no asset is the guinea pig of every version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

from shopfloor.services.registry.words import Rollout

SHARES: Final = (0.0, 0.1, 0.5, 1.0)
"""The share of a scope's assets that a wave reaches, beside the line of wave 0."""
_LINE: Final = 3


def fraction(key: str, asset: str) -> float:
    """A number in [0, 1) that belongs to an asset; `key` names the model and its version.

    >>> fraction("tool-life 2", "a/b/c/d/m-1") == fraction("tool-life 2", "a/b/c/d/m-1")
    True
    """
    return int.from_bytes(hashlib.sha256(f"{key}\n{asset}".encode()).digest()[:8]) / 2**64


def line_of(path: str) -> str:
    """The line of an asset.

    >>> line_of("delta/frames/machining/cell-a/cnc-01")
    'delta/frames/machining'
    """
    return "/".join(path.split("/")[:_LINE])


def first_line(key: str, assets: Iterable[str]) -> str:
    """The line that has a version first; "" when there are no assets."""
    return min({line_of(asset) for asset in assets}, key=lambda line: fraction(key, line), default="")


def reaches(rollout: Rollout, name: str, asset: str) -> bool:
    """Whether a rollout has come to an asset of its scope."""
    if rollout.line and line_of(asset) == rollout.line:
        return True
    return fraction(f"{name} {rollout.number}", asset) < rollout.share


def is_last(rollout: Rollout) -> bool:
    """Whether all assets of the scope have it."""
    return rollout.wave >= len(SHARES) - 1
