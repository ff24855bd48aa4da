"""What a model of a data scientist says of assets, as `GET predictions` shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np
from shopfloor.models.bundle import Bundle
from shopfloor.models.features import Matrix
from shopfloor.models.reasons import Group, Values, explain
from shopfloor.models.scorer import Classes, Scores, likely
from shopfloor.models.streaming import StreamSpec
from shopfloor.services.brain.judge import typical_of, unknown
from shopfloor.services.brain.streams.levels import reached

_ADVICE: Final = {"act": "It has reached the level to act at.", "watch": "It has reached the level to watch from."}


def entries(
    bundle: Bundle, groups: Sequence[Group], assets: Sequence[str], x: Matrix, time: int, said: Scores
) -> list[dict[str, Any]]:
    """Predictions of assets [n] at one moment (UTC ns), by features [n, f] and what the model said of them."""
    card = bundle.manifest
    reasons = explain(bundle, x, typical_of(bundle, assets), several=groups)
    classes = likely(bundle, x) if card.kind == "classes" else None
    act, watch = (reached(card, level, said.value) for level in ("act", "watch"))
    found = []
    for i, asset in enumerate(assets):
        if np.isnan(said.value[i]):
            found.append(unknown(bundle, asset, f"{card.title}: a value that the model needs is missing.", time / 1e6))
            continue
        status = "act" if act[i] else "watch" if watch[i] else "ok"
        entry = unknown(bundle, asset, _sentence(bundle, said, classes, i), time / 1e6)
        entry |= {"status": status, "advice": _ADVICE.get(status, "")}
        entry |= {key: _known(getattr(said, key)[i]) for key in ("value", "low", "high")}
        entry["reasons"] = [{**asdict(reason), "values": dict(reason.values)} for reason in reasons[i]]
        found.append(entry)
    return found


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _sentence(bundle: Bundle, said: Scores, classes: Classes | None, i: int) -> str:
    card, value, low, high = bundle.manifest, said.value[i], said.low[i], said.high[i]
    if classes is not None:
        best = card.classes[int(value)]
        others = [name for name, may in zip(card.classes, classes.likely[i], strict=True) if may and name != best]
        return f"{card.title}: most likely {best}{', else ' if others else ''}{' or '.join(others)}."
    match card.kind:
        case "probability" | "exceedance":
            what = f" for {card.classes[-1]}" if card.classes else ""
            return f"{card.title}: {value:.1%}{what} ({low:.1%} to {high:.1%})."
        case "novelty" | "distance":
            return f"{card.title}: at {value:.0%} of the distance from normal at which to look."
        case _:
            span = f" ({low:.4g} to {high:.4g})" if np.isfinite(low) and np.isfinite(high) else ""
            return f"{card.title}: {value:.4g} {card.unit}".rstrip() + f"{span}."


def groups_of(bundle: Bundle, spec: StreamSpec) -> tuple[Group, ...]:
    """Features by the tag that they are made of, or the pair; each with a sentence on how it is now."""
    features, typical = spec.features, np.median(bundle.arrays["typical"], axis=0)
    tags = dict(zip(features.inputs, spec.tags, strict=True))
    columns: dict[str, list[int]] = {}
    for column, source in enumerate(features.sources):
        columns.setdefault(source, []).append(column)
    return tuple(
        _group(
            tags.get(source, source), [features.names[i] for i in mine], float(typical[mine[0]]), _scale(spec, source)
        )
        for source, mine in columns.items()
    )


def _scale(spec: StreamSpec, source: str) -> tuple[float, float]:
    """Centre and scale that turn a feature back into the unit of its tag; where that cannot be told, as it is."""
    features = spec.features
    if source in features.inputs and len(features.centre) == 1:
        place = features.inputs.index(source)
        return features.centre[0][place], features.scale[0][place]
    return 0.0, 1.0


def _group(tag: str, names: list[str], usual: float, scale: tuple[float, float]) -> Group:
    first = names[0]

    def sentence(values: Values) -> str:
        if np.isnan(values[first]):
            return f"A value of {tag} is missing."
        now, then = (scale[0] + scale[1] * one for one in (values[first], usual))
        return f"{tag} is at {now:.4g}, usual is {then:.4g}."

    return Group("tag", tag, tuple(names), sentence, (first,))
