"""Limits of phase I stay as they are until the chart is declared otherwise: one small JSON file keeps them."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from shopfloor.plant import StoreError
from shopfloor.plant.config import ChartSection
from shopfloor.services.quality.limits import Limits

_DECIDING: Final = {"chart", "tag", "part", "inspected", "subgroup", "baseline", "centre", "sigma"}


class KeptLimits:
    """The limits of every chart in `<folder>/limits.json`. A limit whose chart is declared otherwise is forgotten."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "limits.json"
        self._known: dict[str, dict[str, Any]] = _read(self._file)

    def get(self, key: str, chart: ChartSection) -> Limits | None:
        """The limits of a chart as it is declared now."""
        found = self._known.get(key)
        if found is None or found.get("declared") != declared(chart):
            return None
        sigma = found["sigma"]
        return Limits(found["centre"], float("nan") if sigma is None else sigma, *found["span"])

    def put(self, key: str, chart: ChartSection, limits: Limits) -> None:
        """Keep limits; durable when this returns."""
        said = asdict(limits)
        sigma = None if said["sigma"] != said["sigma"] else said["sigma"]
        span = [limits.subgroups, limits.start, limits.end]
        self._known[key] = {"declared": declared(chart), "centre": limits.centre, "sigma": sigma, "span": span}
        self._write()

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
