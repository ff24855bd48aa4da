"""What the chosen moments need of the history, read in as few pieces as it takes, and nothing after them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
from shopfloor.models.client.ask import values
from shopfloor.models.client.server import Server
from shopfloor.models.client.spans import Ints
from shopfloor.models.columns import Columns, Steps
from shopfloor.models.spec.memory import Floats, Matrix
from shopfloor.models.streaming import StreamSpec, good_columns, sampled
from shopfloor.models.streaming.rows import blocks
from shopfloor.plant import QuestionError

_APART: Final = 4
_MICROSECOND: Final = 1_000
_SECOND: Final = 1_000_000_000


def assets_with(server: Server, selectors: Sequence[str], tags: Sequence[str]) -> list[str]:
    """The assets that the selectors choose and that have all of the tags; none is a `QuestionError`."""
    known: dict[str, set[str]] = {}
    for path in (row["path"] for row in server.get("/tags")):
        asset, _, name = path.rpartition("/")
        known.setdefault(asset, set()).add(name)
    patterns = [re.compile(re.escape(text.strip("/")).replace(r"\*", "[^/]*") + "(?:/|$)") for text in selectors]
    chosen = [asset for asset in known if any(pattern.match(asset) for pattern in patterns)]
    if not chosen:
        raise QuestionError(f"No asset fits {', '.join(selectors)!r:.200}: ask /api/v1/assets for those that are.")
    if found := sorted(asset for asset in chosen if known[asset].issuperset(tags)):
        return found
    missing = sorted(set(tags) - known[chosen[0]]) or sorted(tags)
    raise QuestionError(f"No asset has all of the tags: {chosen[0]} lacks {', '.join(missing)[:200]}.")


def read(server: Server, asset: str, spec: StreamSpec, moments: Ints, back: int) -> Columns:
    """Good values of an asset's tags for moments [n], ascending, that look `back` ns; gaps between pieces stay out."""
    paths = [f"{asset}/{tag}" for tag in spec.tags]
    pieces = []
    for part in apart(moments, _APART * back):
        found = values(server, paths, int(part[0]) - back, int(part[-1]) + _MICROSECOND).arrow
        pieces.append(good_columns(found).get(asset, {}))
    return {tag: _joined([piece[tag] for piece in pieces if tag in piece]) for tag in set().union(*pieces)}


def apart(moments: Ints, gap: int) -> list[Ints]:
    """Ascending moments, cut where more than `gap` lies between two.

    >>> [part.tolist() for part in apart(np.array([0, 1, 9]), 5)]
    [[0, 1], [9]]
    """
    return np.split(moments, np.flatnonzero(np.diff(moments) > gap) + 1) if len(moments) else []


def windows(spec: StreamSpec, held: Mapping[str, Columns], asset: Sequence[str], time: Ints, steps: int) -> Floats:
    """Inputs [n, steps, inputs] of assets [n] at the `steps` moments that end with `time` [n]: NaN where unknown."""
    out = np.full((len(time), steps, len(spec.tags)), np.nan)
    back = np.arange(1 - steps, 1, dtype=np.int64) * spec.every * _SECOND
    for name, where in _of_each(asset):
        grid = (time[where, None] + back).ravel()
        out[where] = sampled(spec, [held.get(name, {})], grid).reshape(len(where), steps, -1)
    return out


def described(spec: StreamSpec, held: Mapping[str, Columns], asset: Sequence[str], time: Ints) -> Matrix:
    """Features [n, f] float32 of assets [n] at `time` [n]: the very rows that live judging makes.

    Assets are described side by side, a stretch of time after the other, so that memory stays small.
    """
    out = np.full((len(time), len(spec.features.names)), np.nan, np.float32)
    if not len(time):
        return out
    names, code = np.unique(np.asarray(asset, str), return_inverse=True)
    order = np.argsort(time, kind="stable")
    for stretch in np.split(order, np.flatnonzero(np.diff(time[order]) > spec.lookback * _SECOND) + 1):
        mine = np.unique(code[stretch])
        columns = [held.get(name, {}) for name in names[mine].tolist()]
        for made in blocks(spec, columns, int(time[stretch[0]]), int(time[stretch[-1]]) + 1):
            here = stretch[(time[stretch] >= made.time[0]) & (time[stretch] <= made.time[-1])]
            out[here] = made.x[np.searchsorted(made.time, time[here]), np.searchsorted(mine, code[here])]
    return out


def _of_each(asset: Sequence[str]) -> Iterator[tuple[str, Ints]]:
    names, code = np.unique(np.asarray(asset, str), return_inverse=True)
    for i, name in enumerate(names.tolist()):
        yield name, np.flatnonzero(code == i)


def _joined(pieces: Sequence[Steps]) -> Steps:
    """One after the other; where two overlap the first counts."""
    whole = pieces[0]
    for piece in pieces[1:]:
        whole = whole.then(piece)
    return whole
