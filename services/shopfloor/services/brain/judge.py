"""Judge assets by their features: one call of each model for all, then status, sentence and advice for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models import baseline
from shopfloor.models.bundle import Bundle
from shopfloor.models.features import Matrix, excused
from shopfloor.models.parts import NEAR_END, TOLERANCE
from shopfloor.models.reasons import explain
from shopfloor.models.scorer import Scores, score

Judgement = tuple[str, str, str]
"""Status, sentence, advice."""
WATCH_OUT, _ACT_OUT = 0.15, 0.5
_NOW, _EARLY = 2.0, 15.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """One prediction of one asset."""

    value: float
    low: float
    high: float
    baseline: float | None
    settings: Mapping[str, float]


def judge(
    bundle: Bundle, assets: Sequence[str], x: Matrix, times: Sequence[int], said: Scores | None = None
) -> list[dict[str, Any]]:
    """Predictions of these assets (rows of `x`), as `GET predictions` shows them; `times` are UTC ns.

    `said` are the scores of these rows, where they are known already. Rows of one asset are in the order of time: of
    those before its last one only those that are not "ok" carry reasons.
    """
    if bundle.manifest.state != "ready":
        return [unknown(bundle, asset, bundle.manifest.sentence) for asset in assets]
    said = said or score(bundle, x)
    beside = _baselines(bundle, x)
    planned = excused(x) if bundle.manifest.target == "pot_unusual" else np.zeros(len(x), bool)
    out = []
    for i, asset in enumerate(assets):
        verdict = Verdict(
            float(said.value[i]), float(said.low[i]), float(said.high[i]), beside[i], bundle.manifest.settings
        )
        status, sentence, advice = _WORDS[bundle.manifest.target](verdict)
        if planned[i]:
            status, advice = "ok", "Judged again an hour after the tapping or anode change."
        entry = _frame(bundle, asset, times[i] / 1e6, status, sentence, advice)
        entry |= {"value": verdict.value, "low": verdict.low, "high": verdict.high, "baseline": verdict.baseline}
        out.append(entry)
    _explain(bundle, out, x)
    return out


def _explain(bundle: Bundle, entries: Sequence[dict[str, Any]], x: Matrix) -> None:
    """Give reasons to what pages and alarms show: the newest prediction of each asset, and any that is not "ok"."""
    newest = {entry["asset"]: i for i, entry in enumerate(entries)}
    rows = [i for i, entry in enumerate(entries) if newest[entry["asset"]] == i or entry["status"] != "ok"]
    reasons = explain(bundle, x[rows], typical_of(bundle, [entries[i]["asset"] for i in rows]))
    for i, told in zip(rows, reasons, strict=True):
        entries[i]["reasons"] = [{**asdict(r), "values": dict(r.values)} for r in told]


def unknown(bundle: Bundle, asset: str, sentence: str, time: float = 0.0) -> dict[str, Any]:
    """A prediction that cannot be made, and why; no number is made up."""
    return _frame(bundle, asset, time, "unknown", sentence, "")


def _frame(bundle: Bundle, asset: str, time: float, status: str, sentence: str, advice: str) -> dict[str, Any]:
    card = bundle.manifest
    return {
        "asset": asset,
        "target": card.target,
        "title": card.title,
        "time": time,
        "value": None,
        "low": None,
        "high": None,
        "coverage": card.coverage,
        "unit": card.unit,
        "status": status,
        "sentence": sentence,
        "advice": advice,
        "baseline": None,
        "reasons": [],
        "model": card.name,
        "trained_at": card.trained_at / 1e6,
    }


def typical_of(bundle: Bundle, assets: Sequence[str]) -> Matrix:
    """What is usual for each asset; for one the model never met, what is usual for all."""
    typical: NDArray[np.float32] = bundle.arrays["typical"]
    place = {asset: i for i, asset in enumerate(bundle.manifest.assets)}
    everywhere = np.median(typical, axis=0)
    return np.stack([typical[place[a]] if a in place else everywhere for a in assets]).astype(np.float32)


def _baselines(bundle: Bundle, x: Matrix) -> list[float | None]:
    """What the trivial rule says beside the model."""
    settings = bundle.manifest.settings
    match bundle.manifest.target:
        case "dimension":
            said = baseline.last_probe(x, np.nan)
        case "tool_life":
            said = baseline.usual_life(x, settings["mean_life"])
        case "pot_unusual":
            return [None] * len(x)
        case _:
            said = np.full(len(x), settings["base_rate"])
    return [None if np.isnan(value) else float(value) for value in said]


def _tool_life(v: Verdict) -> Judgement:
    sentence = f"About {v.value:.0f} min of cutting left ({v.low:.0f} to {v.high:.0f})."
    early = v.baseline is not None and v.baseline - v.value >= _EARLY
    if v.value <= NEAR_END and early:
        return "act", f"{sentence} It wears faster than tools did here.", "Change the tool before the next part."
    if v.value <= _NOW:
        return "watch", sentence, "Change the tool at the next pause."
    if v.value <= NEAR_END:
        return "watch", sentence, "Have a fresh tool ready."
    if early:
        return "watch", f"{sentence} It wears faster than tools did here.", "Look at the tool at the next pause."
    return "ok", sentence, ""


def _dimension(v: Verdict) -> Judgement:
    sentence = f"The last part is {v.value:+.1f} um off ({v.low:+.1f} to {v.high:+.1f}); allowed are 30."
    if abs(v.value) > TOLERANCE:
        return "act", sentence, "Measure the last part; then change the tool or correct the offset."
    if v.low < -TOLERANCE or v.high > TOLERANCE:
        return "watch", sentence, "Measure the next part."
    return "ok", sentence, ""


def _out_of_tolerance(v: Verdict) -> Judgement:
    sentence = f"{_share(v.value)} that the last part is out of tolerance ({_share(v.low)} to {_share(v.high)})."
    if v.value >= _ACT_OUT:
        return "act", sentence, "Stop after this part, measure it, change the tool."
    if v.value >= WATCH_OUT:
        return "watch", sentence, "Measure the next part."
    return "ok", sentence, ""


def _pot_unusual(v: Verdict) -> Judgement:
    sentence = f"The pot is at {v.value:.0%} of the distance from normal at which to look."
    if v.value >= v.settings["act"]:
        return "act", sentence, "Look at the feeder, the anodes and the last temperature."
    if v.value >= v.settings["watch"]:
        return "watch", sentence, "Look at the reasons below."
    return "ok", sentence, ""


def _anode_effect(v: Verdict) -> Judgement:
    minutes, usual = v.settings["horizon_minutes"], v.settings["base_rate"]
    sentence = (
        f"{_share(v.value)} for an anode effect within {minutes:.0f} minutes ({_share(v.low)} to {_share(v.high)});"
        f" usual are {_share(usual)}."
    )
    if v.value >= v.settings["act"]:
        return "act", sentence, "Feed alumina now and check the feeder."
    if v.value >= v.settings["watch"]:
        return "watch", sentence, "Check the feeder and the last dumps."
    return "ok", sentence, ""


def _share(value: float) -> str:
    return f"{value:.1%}" if value < 0.1 else f"{value:.0%}"


_WORDS: Final[dict[str, Callable[[Verdict], Judgement]]] = {
    "tool_life": _tool_life,
    "dimension": _dimension,
    "out_of_tolerance": _out_of_tolerance,
    "pot_unusual": _pot_unusual,
    "anode_effect": _anode_effect,
}
