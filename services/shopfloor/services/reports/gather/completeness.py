"""How complete the data of a report is: the ledger, gaps, and the share of bad values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from shopfloor.plant import Kind
from shopfloor.services.historian.options import MINUTE
from shopfloor.services.reports.document import Account, Completeness, Silence
from shopfloor.services.reports.gather.stores import Stores
from shopfloor.services.reports.scope import Scope

STEP: Final = 10 * MINUTE
"""An asset without any value for so long has a gap."""
_LISTED: Final = 20


def completeness(of: Scope[Stores], accounts: tuple[Account, ...]) -> Completeness:
    """Count the numbers of all tags in portions of ten minutes: texts are stored on change and are not counted."""
    asset_of = {entry.path: entry.asset for entry in of.tags() if entry.tag.kind is not Kind.TEXT}
    table = of.services.reader.aggregate(list(asset_of), of.start, of.end, STEP, of=("n", "bad", "last_time"))
    good, bad = (int(pc.sum(table.column(name)).as_py() or 0) for name in ("n", "bad"))
    newest = pc.max(table.column("last_time").cast(pa.int64())).as_py()
    heard = set(pc.unique(table.column("tag")).to_pylist())
    return Completeness(
        values=good + bad, bad=bad, newest=newest, tags=len(asset_of), silent=len(asset_of) - len(heard),
        gaps=_gaps(of, table, asset_of), accounts=accounts,
    )  # fmt: skip


def _gaps(of: Scope[Stores], table: pa.Table, asset_of: Mapping[str, str]) -> tuple[Silence, ...]:
    """The longest gaps of assets, in whole portions that are over."""
    portions = (of.end - of.start) // STEP
    assets = list(dict.fromkeys(asset_of.values()))
    number = {asset: i for i, asset in enumerate(assets)}
    tag = table.column("tag").combine_chunks()
    row = np.array([number[asset_of[name]] for name in tag.dictionary.to_pylist()] or [0])
    portion = (table.column("time").cast(pa.int64()).to_numpy() - of.start) // STEP
    heard = np.zeros((len(assets), portions + 1), bool)
    heard[row[tag.indices.to_numpy()], np.minimum(portion, portions)] = True
    silent: dict[tuple[int, int], list[str]] = {}
    for asset, known in zip(assets, heard[:, :portions], strict=True):
        for run in runs(~known):
            silent.setdefault(run, []).append(of.title(asset))
    found = [
        Silence(tuple(titles), of.start + first * STEP, of.start + last * STEP)
        for (first, last), titles in silent.items()
    ]
    return tuple(sorted(found, key=lambda gap: gap.start - gap.end)[:_LISTED])


def runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Where flags are true: begin and end of each run.

    >>> runs(np.array([True, True, False, True]))
    [(0, 2), (3, 4)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]
