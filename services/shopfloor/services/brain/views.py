"""Models as `GET models` shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shopfloor.models.bundle import Manifest
from shopfloor.models.sealing.manifest import Plain
from shopfloor.services.brain.streams.levels import levels_of


def model_view(card: Manifest) -> dict[str, Any]:
    """The card of a model: what it was trained on, how it was judged, how it scored."""
    metrics = [_metric(metric) for metric in card.metrics if _is_score(metric)]
    measured = next((m["value"] for m in metrics if m["name"] == "coverage"), None)
    return {
        "name": card.name,
        "target": card.target,
        "title": card.title,
        "asset_type": card.asset_type,
        "state": card.state,
        "sentence": card.sentence,
        "trained_at": card.trained_at / 1e6,
        "data_start": card.data_start / 1e6,
        "data_end": card.data_end / 1e6,
        "cpu_s": card.cpu_s,
        "rows": card.rows,
        "split": card.split,
        "metrics": metrics,
        "levels": levels_of(card),
        "coverage": {"nominal": card.coverage, "measured": measured} if measured is not None else None,
    }


def _is_score(metric: Mapping[str, Plain]) -> bool:
    """Whether what a bundle says is a score that can be shown: it has a name and a number."""
    value = metric.get("value")
    return isinstance(metric.get("name"), str) and isinstance(value, int | float) and not isinstance(value, bool)


def _metric(metric: Mapping[str, Plain]) -> dict[str, Any]:
    """A score with all that a page asks for; without a baseline nothing is beaten."""
    better = "higher" if metric.get("better") == "higher" else "lower"
    words = {key: str(metric.get(key) or "") for key in ("baseline_name", "unit")}
    baseline = metric.get("baseline")
    known = baseline if isinstance(baseline, int | float) and not isinstance(baseline, bool) else None
    beats = known is not None and bool(metric.get("beats"))
    return {
        "name": metric["name"],
        "value": metric["value"],
        "baseline": known,
        **words,
        "better": better,
        "beats": beats,
    }
