"""The words of a signal, for the alarm that it raises."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from shopfloor.plant import Asset, Tag
from shopfloor.plant.config import ChartSection
from shopfloor.services.alarms.alarm import Condition
from shopfloor.services.alarms.state import AlarmKind
from shopfloor.services.alarms.words import number
from shopfloor.services.quality.evaluate import Points
from shopfloor.services.quality.rules import WORDS


def condition(
    key: str, asset: Asset, chart: ChartSection, tag: Tag, signals: Sequence[str], points: Points
) -> Condition:
    """The condition of the newest point of a chart, which breaks at least one rule."""
    design = designed(key, asset, chart, tag)
    title = design.values["tag"]
    broken = [name for name, flag in zip(signals, points.broken[-1].tolist(), strict=True) if flag]
    sentence = f"{title} of {asset.title} is out of control: {WORDS[broken[0]]}."
    value, upper, lower = (float(column[-1]) for column in (points.measured, points.upper, points.lower))
    why = f"The newest point is {number(value, _decimals(value, tag))}{_unit(chart, tag)}."
    beyond = upper if points.value[-1] > upper else lower
    return replace(
        design,
        code=broken[0],
        sentence=sentence,
        why=why,
        value=value if math.isfinite(value) else None,
        limit=beyond if chart.chart != "cusum" and math.isfinite(beyond) else None,
        values={**design.values, "rules": ", ".join(broken)},
    )


def designed(key: str, asset: Asset, chart: ChartSection, tag: Tag) -> Condition:
    """What is known of the alarm of a chart before a point breaks a rule."""
    title = chart.title or tag.title or tag.name
    return Condition(
        key=key,
        kind=AlarmKind.QUALITY,
        code="out_of_control",
        priority=chart.priority,
        title=f"{title} out of control",
        sentence="",
        advice=chart.advice,
        asset=str(asset.path),
        tag=f"{asset.path}/{tag.name}",
        unit=_unit(chart, tag).strip(),
        values={"tag": title, "asset": asset.title, "chart": key.rsplit(":", 1)[-1]},
    )


def _unit(chart: ChartSection, tag: Tag) -> str:
    return f" {tag.unit}" if tag.unit and chart.chart not in {"p", "u"} else ""


def _decimals(value: float, tag: Tag) -> int:
    """One digit more than a single value has: a mean is finer."""
    return 4 if abs(value) < 1 and tag.decimals == 0 else tag.decimals + 1
