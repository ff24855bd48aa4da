"""A labelled data set: moments of assets, what was seen at each, and what it was before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.client.draw import QUIET
from shopfloor.models.client.moments import Moment, ns
from shopfloor.models.client.reading import described
from shopfloor.models.client.spans import UNKNOWN, Ints, Span
from shopfloor.models.columns import Columns
from shopfloor.models.lineage import lineage, rows_sha
from shopfloor.models.sealing.manifest import Lineage
from shopfloor.models.spec.memory import Floats, Matrix
from shopfloor.models.streaming import StreamSpec
from shopfloor.plant import QuestionError


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """n moments of assets.

    spec        how values of tags become rows, as live judging does it
    asset       [n] paths; `time` [n] UTC ns; `label` [n]: the event that follows, "quiet", or your own truth
    windows     [n, steps, tags] the inputs at the `steps` moments that end with `time`; NaN where none is known
    x           [n, f] float32: the features of `spec` at each moment, the very rows of live judging
    events      what was found; times of which nobody knows have no label
    query       what was asked, with the rule by which quiet moments were drawn; `notes` says what was left out
    """

    spec: StreamSpec
    asset: NDArray[np.object_]
    time: Ints
    label: NDArray[Any]
    windows: Floats
    x: Matrix
    events: tuple[Span, ...]
    query: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    held: Mapping[str, Columns] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.time)

    def __str__(self) -> str:
        names, counts = np.unique(self.label.astype(str), return_counts=True)
        told = ", ".join(f"{count} {name}" for name, count in zip(names.tolist(), counts.tolist(), strict=True))
        told = told if len(names) <= 12 else "each with a truth of its own"
        return (
            f"{len(self)} moments of {len(set(self.asset))} assets ({told}); windows {self.windows.shape},"
            f" {self.known.mean():.0%} of it known."
        )

    @property
    def known(self) -> NDArray[np.bool_]:
        """[n, steps, tags] where a good value is known: neither bad, nor older than `hold`."""
        return ~np.isnan(self.windows)

    @property
    def y(self) -> NDArray[Any]:
        """The truth [n]: 1 before an event and 0 when quiet; with several labels, or your own, as they are."""
        if self.label.dtype != object:
            return self.label
        kinds = {str(one) for one in self.label} - {QUIET}
        if UNKNOWN in kinds:
            raise QuestionError("The rows have no truth: ask for an event, or give one with .labelled(truth).")
        return np.array(self.label != QUIET, np.int64) if len(kinds) == 1 else self.label

    @property
    def sha(self) -> str:
        """SHA-256 of all rows: the same question to the same history has the same."""
        rows = [self.asset.astype(str), self.time, self.label.astype(str), self.windows, self.x]
        return rows_sha(rows)

    def table(self) -> dict[str, NDArray[Any]]:
        """A flat table: a row for each step of each window; columns asset, time, window, label, and each tag."""
        n, steps, _ = self.windows.shape
        back = np.arange(1 - steps, 1, dtype=np.int64) * self.spec.every * 1_000_000_000
        truth = self.label if UNKNOWN in self.label else self.y
        truth = truth.astype(np.float64) if truth.dtype.kind in "iufb" else truth
        return {
            "asset": np.repeat(self.asset, steps),
            "time": (self.time[:, None] + back).ravel().view("datetime64[ns]"),
            "window": np.repeat(np.arange(n).astype(np.float64), steps),
            "label": np.repeat(truth, steps),
            **{tag: self.windows[:, :, i].ravel() for i, tag in enumerate(self.spec.tags)},
        }

    def take(self, rows: NDArray[Any]) -> Dataset:
        """The chosen rows."""
        parts = {name: getattr(self, name)[rows] for name in ("asset", "time", "label", "windows", "x")}
        return replace(self, **parts)

    def split(self, at: Moment | float) -> tuple[Dataset, Dataset]:
        """Earlier and later rows, by a time or a share of the rows; a window and a `before` between them are left out.

        So no row of one shows, or foresees, what the other shows.
        """
        cut = int(np.quantile(self.time, at)) if isinstance(at, float) else ns(at)
        later = self.time - int(self.query["window_ns"]) - int(self.query["before_ns"]) > cut
        return self.take(self.time <= cut), self.take(later)

    def labelled(self, truth: Sequence[Any] | NDArray[Any]) -> Dataset:
        """The same rows with a truth [n] of your own, such as a measured dimension."""
        given = np.asarray(truth)
        if given.shape != self.time.shape:
            raise QuestionError(f"The truth is {given.shape}, expected is one for each of the {len(self)} rows.")
        return replace(self, label=given)

    def under(self, spec: StreamSpec) -> Dataset:
        """The same moments described by another specification over the same tags, with the memory it was read for."""
        extra = sorted(set(spec.tags) - set(self.spec.tags))
        if extra or spec.every != self.spec.every or max(spec.hold, spec.lookback) > self.query["reach_s"]:
            raise QuestionError(
                f"The data were read for {', '.join(self.spec.tags)} every {self.spec.every} s with a lookback of"
                f" {self.query['reach_s']} s: ask for them anew with spec=."
            )
        return replace(self, spec=spec, x=described(spec, self.held, self.asset.tolist(), self.time))

    def lineage(self, seeds: Sequence[int] = ()) -> Lineage:
        """Where a model comes from that learned from these rows: the question, what it found, the rows."""
        asked = json.dumps({**self.query, "data": self.sha}, sort_keys=True)
        found = json.dumps([[one.asset, one.start, one.end, one.label] for one in self.events])
        return lineage(
            asked, [self.asset.astype(str), self.time, self.x, self.label.astype(str)],
            source_sha=hashlib.sha256(found.encode()).hexdigest(), seeds=seeds,
        )  # fmt: skip
