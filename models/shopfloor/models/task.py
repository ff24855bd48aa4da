"""What a training run is given, what it tells while it runs, and what it hands on."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import treelite
from numpy.typing import NDArray
from shopfloor.models.advise.hull import hull
from shopfloor.models.bundle import Manifest
from shopfloor.models.evaluate import Metric, beaten
from shopfloor.models.features import Matrix
from shopfloor.models.fit import SEED, golden
from shopfloor.models.lineage import lineage
from shopfloor.models.reference import reference
from shopfloor.plant.errors import ShopfloorError

Progress = Callable[[float, str], None]


class TooLittleHistory(ShopfloorError):  # noqa: N818 (a state of the history)
    """There is not enough history to learn a target from."""


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A trained model before it is sealed."""

    manifest: Manifest
    trees: Mapping[str, treelite.Model]
    arrays: Mapping[str, NDArray[Any]]


@dataclass(slots=True)
class Stopwatch:
    """CPU seconds since it was made."""

    start: float = field(default_factory=time.process_time)

    def seconds(self) -> float:
        """CPU seconds of this process so far."""
        return round(time.process_time() - self.start, 2)


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Training rows: features [n, f], which asset [n] (index into `assets`), when [n] (UTC ns)."""

    x: Matrix
    asset: NDArray[np.int64]
    time: NDArray[np.int64]
    assets: tuple[str, ...]

    def take(self, rows: NDArray[Any]) -> Rows:
        """The chosen rows."""
        return Rows(self.x[rows], self.asset[rows], self.time[rows], self.assets)


@dataclass(frozen=True, slots=True)
class Naming:
    """The words on a model's card."""

    target: str
    title: str
    asset_type: str
    kind: str
    unit: str
    features: Sequence[str]


def finish(
    naming: Naming,
    rows: Rows,
    trees: Mapping[str, treelite.Model],
    arrays: Mapping[str, NDArray[Any]],
    metrics: Sequence[Metric],
    *,
    split: str,
    settings: Mapping[str, float],
    watch: Stopwatch,
    now: int,
) -> Trained:
    """Put a model and its card together; one that does not beat its baseline abstains."""
    ready = beaten(metrics)
    lost = [m.name for m in metrics[:1] if not m.beats]
    sentence = (
        "" if ready else f"It abstains: {', '.join(lost)} did not beat the baseline on unseen {rows_word(naming)}."
    )
    manifest = Manifest(
        name=naming.target.replace("_", "-"),
        target=naming.target,
        title=naming.title,
        asset_type=naming.asset_type,
        kind=naming.kind,
        unit=naming.unit,
        features=list(naming.features),
        coverage=0.9,
        trained_at=now,
        data_start=int(rows.time.min()),
        data_end=int(rows.time.max()),
        rows=len(rows.x),
        cpu_s=watch.seconds(),
        seed=SEED,
        split=split,
        state="ready" if ready else "abstains",
        sentence=sentence,
        metrics=[m.to_json() for m in metrics],
        settings=dict(settings),
        assets=list(rows.assets),
        spec={"features": list(naming.features), "asset_type": naming.asset_type},
        lineage=lineage(f"history of {len(rows.assets)} assets", [rows.x, rows.asset, rows.time], seeds=[SEED]),
    )
    return Trained(manifest, trees, {**arrays, **golden(rows.x), **reference(rows.x), **hull(rows.x)})


def rows_word(naming: Naming) -> str:
    """What the assets of a type are called."""
    return "machines" if naming.asset_type == "machine-tool" else "pots"
