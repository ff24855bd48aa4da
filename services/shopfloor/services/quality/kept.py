"""Limits of phase I stay as they are until the chart is declared otherwise: one small JSON file keeps them."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from shopfloor.plant import StoreError
from shopfloor.plant.config import ChartSection
from shopfloor.services.quality.limits import Limits


@dataclass(frozen=True, slots=True)
class Revision:
    """Limits that somebody had made anew: they hold for subgroups from `since` (UTC ns) on; by whom, why, and when."""

    since: int
    limits: Limits
    by: str
    why: str
    at: int


_DECIDING: Final = {"chart", "tag", "part", "inspected", "subgroup", "baseline", "centre", "sigma"}


class KeptLimits:
    """The limits of every chart in `<folder>/limits.json`. A limit whose chart is declared otherwise is forgotten."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "limits.json"
        self._known: dict[str, dict[str, Any]] = _read(self._file)

    def get(self, key: str, chart: ChartSection) -> Limits | None:
        """The limits of a chart as it is declared now."""
        found = self._entry(key, chart)
        return None if found is None else _limits(found)

    def revisions(self, key: str, chart: ChartSection) -> list[Revision]:
        """What was made anew since, in the order of the decisions; old limits stay known."""
        found = self._entry(key, chart) or {}
        told = found.get("revisions", ())
        return [Revision(one["since"], _limits(one), one["by"], one["why"], one["at"]) for one in told]

    def revise(self, key: str, chart: ChartSection, revision: Revision) -> None:
        """Keep limits that were made anew, beside the old ones; durable when this returns."""
        said = {"since": revision.since, "by": revision.by, "why": revision.why, "at": revision.at}
        entry = self._known[key]
        entry["revisions"] = [*entry.get("revisions", ()), said | _plain(revision.limits)]
        self._write()

    def put(self, key: str, chart: ChartSection, limits: Limits) -> None:
        """Keep limits; durable when this returns."""
        self._known[key] = {"declared": declared(chart)} | _plain(limits)
        self._write()

    def _entry(self, key: str, chart: ChartSection) -> dict[str, Any] | None:
        found = self._known.get(key)
        return None if found is None or found.get("declared") != declared(chart) else found

    def _write(self) -> None:
        fresh = self._file.with_suffix(".new")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with fresh.open("w") as file:
                json.dump(self._known, file, indent=1, sort_keys=True)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._file)
        except OSError as problem:
            raise StoreError(f"The limits in {self._file} cannot be written ({problem.strerror}).") from problem


def in_force(revisions: Sequence[Revision]) -> list[Revision]:
    """Those that hold, by the time from which they do: a decision replaces what began no earlier.

    >>> old, wide, fresh = (Revision(since, Limits(1.0, 1.0), "Li", "", at) for since, at in ((5, 1), (9, 2), (7, 3)))
    >>> [one.since for one in in_force([old, wide, fresh])]
    [5, 7]
    """
    held: list[Revision] = []
    for one in sorted(revisions, key=lambda revision: revision.at):
        held = [*(old for old in held if old.since < one.since), one]
    return held


def _plain(limits: Limits) -> dict[str, Any]:
    sigma = None if math.isnan(limits.sigma) else limits.sigma
    return {"centre": limits.centre, "sigma": sigma, "span": [limits.subgroups, limits.start, limits.end]}


def _limits(plain: Mapping[str, Any]) -> Limits:
    sigma = plain["sigma"]
    return Limits(plain["centre"], math.nan if sigma is None else sigma, *plain["span"])


def declared(chart: ChartSection) -> str:
    """A fingerprint of all that decides the limits of a chart.

    >>> one = ChartSection(chart="i-mr", tag="d")
    >>> [declared(one) == declared(one.model_copy(update={key: "e"})) for key in ("title", "tag")]
    [True, False]
    """
    return hashlib.sha256(chart.model_dump_json(include=_DECIDING).encode()).hexdigest()[:16]


def _read(file: Path) -> dict[str, dict[str, Any]]:
    try:
        known = json.loads(file.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as problem:
        raise StoreError(
            f"The limits in {file} cannot be read ({problem}): restore the file from a backup, or move it away to have"
            " the limits made anew."
        ) from problem
    return dict(known)
