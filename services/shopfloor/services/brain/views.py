"""Models as `GET models` shows them."""

from __future__ import annotations

from typing import Any

from shopfloor.models.bundle import Manifest


def model_view(card: Manifest) -> dict[str, Any]:
    """The card of a model: what it was trained on, how it was judged, how it scored."""
    measured = next((m["value"] for m in card.metrics if m["name"] == "coverage"), None)
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
        "metrics": card.metrics,
        "coverage": {"nominal": card.coverage, "measured": measured} if measured is not None else None,
    }
