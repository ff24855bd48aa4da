"""What the mock server says about maintenance: the outlook over its predictions, work orders, the record, marks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from shopfloor.services.maintenance.board import by_asset, counts
from shopfloor.services.maintenance.outlook import Ends, kind_of, outlook, ranked

Part = dict[str, Any]
HOUR_MS = 3_600_000
LEVELS = {"tool_life": (None, 15.0), "anode_effect": (0.3, None)}


def told(assets: Sequence[Part], predictions: Sequence[Part], now: float) -> Part:
    """The outlook as the server ranks it; machines run 62 % of the time."""
    ns = int(now * 1e6)
    ends = Ends(
        ns, ns + HOUR_MS * 10**6, ns + 5 * HOUR_MS * 10**6, ns + 24 * HOUR_MS * 10**6, ns + 168 * HOUR_MS * 10**6
    )
    titles = {asset["path"]: asset["title"] for asset in assets}
    kinds = ((said, kind_of(said, None)) for said in predictions)
    rows = by_asset(ranked(outlook(said, kind, 0.62, ends) for said, kind in kinds if kind))
    compared = {"name": "bath-drift", "model_title": "Bath drift", "number": 3}
    shadows = [{"asset": path, "title": title, **compared} for path, title in titles.items() if "pot-1" in path]
    told = [_row(one, titles, now, i) for i, one in enumerate(rows[:15])]
    return {
        "time": now,
        "counts": counts(rows),
        "rows": told,
        "silent": [],
        "in_shadow": shadows,
        "sentence": "The brain is ready.",
    }


def _row(one: Any, titles: dict[str, str], now: float, i: int) -> Part:
    also = [{key: other.said[key] for key in ("target", "title", "status")} for other in one.also]
    one = one.first
    asset, value = one.said["asset"], one.said["value"]
    risks = [{"end": risk.end / 1e6, "at_least": risk.at_least, "at_most": risk.at_most} for risk in one.risks]
    left = one.left and {key: getattr(one.left, key) / 1e6 for key in ("low", "value", "high")}
    life = one.kind == "life"
    trend = [(value or 0) + (60 - n if life else math.sin(n / 5) * 0.05) for n in range(60)]
    return {
        "asset": asset, "title": titles[asset], "kind": one.kind, "prediction": one.said, "left": left,
        **dict(zip(("hour", "shift", "day", "week"), risks, strict=True)), "running": 0.62 if life else None,
        "part": "tool" if life else "anode", "changed": now - (i + 1) * HOUR_MS,
        "trend": {"time": [now - (60 - n) * 720_000 for n in range(60)], "value": trend},
        "due": one.due, "also": also, "orders": [12] if i == 1 else [],
    }  # fmt: skip


def orders(predictions: Sequence[Part], titles: dict[str, str], now: float) -> list[Part]:
    """One that is overdue, one in work, and one that was done."""
    worn = [said for said in predictions if said["target"] == "tool_life"][:3]
    states = [("open", "", now - HOUR_MS), ("in-work", "", now + HOUR_MS), ("done", "early", None)]
    return [
        {"number": 14 - i, "asset": said["asset"], "title": titles[said["asset"]],
         "what": "Change the tool before the next part.", "why": said, "due": due, "who": "Zhao",
         "state": state, "created": now - 3 * HOUR_MS, "by": "Anna",
         "changed": now - HOUR_MS, "changed_by": "Zhao", "found": found, "note": "", "mark": 3 if found else None}
        for i, (said, (state, found, due)) in enumerate(zip(worn, states, strict=True))
    ]  # fmt: skip


def record(assets: Sequence[Part], now: float) -> list[Part]:
    """A month of tool changes on five machines."""
    machines = [asset for asset in assets if asset["type"] == "machine-tool"][:5]
    points = [
        {"asset": machines[n % 5]["path"], "time": now - n * 600_000, "value": 5.0 + n % 40,
         "low": 1.0 + n % 40, "high": 10.0 + n % 40, "truth": 5.0 + n % 40 + 9 * math.sin(n)}
        for n in range(200)
    ]  # fmt: skip
    tally = {"windows": 60, "exact": 40, "inside": 35, "error": 4.2, "events": 6, "caught": 5, "alarms": 7, "false": 1}
    total = {key: value if key == "error" else value * 5 for key, value in tally.items()}
    above, below = LEVELS["tool_life"]
    return [
        {"name": "tool-life", "title": "Tool life left", "target": "tool_life", "kind": "life",
         "unit": "min", "number": 2, "nominal": 0.9, "above": above, "below": below, "total": total, "points": points,
         "assets": [{**tally, "asset": one["path"], "title": one["title"]} for one in machines]}
    ]  # fmt: skip


def course(start: float, end: float) -> Part:
    """What a prediction was, every ten minutes."""
    time = [start + n * 600_000 for n in range(int((end - start) / 600_000))]
    value = [40 - n % 36 for n in range(len(time))]
    return {"time": time, "value": value, "low": [one - 8 for one in value], "high": [one + 9 for one in value]}
