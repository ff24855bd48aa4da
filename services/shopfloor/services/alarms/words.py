"""The words of an alarm: what, why, and what to do."""

from __future__ import annotations

from typing import Final

from shopfloor.plant import Limit, Tag
from shopfloor.plant.tag import Side
from shopfloor.services.alarms.alarm import Condition
from shopfloor.services.alarms.state import AlarmKind

_EXACT: Final = 6
"""Decimals of a number of the plant file: a limit of 0.5 is not told as 0 where values are whole."""


def number(value: float, decimals: int) -> str:
    """A number as an operator reads it.

    >>> number(15.60, 2), number(950.0, 0)
    ('15.6', '950')
    """
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def limit_condition(key: str, asset: str, asset_title: str, tag: Tag, limit: Limit, value: float) -> Condition:
    """The condition of a value beyond its limit.

    >>> tag = Tag("spindle.power", unit="kW", title="Spindle power", decimals=1)
    >>> limit_condition("k", "a", "CNC 01", tag, Limit(Side.HIGH, 15.0), 15.64).sentence
    'Spindle power of CNC 01 is 15.6 kW, above its limit of 15 kW.'
    """
    title = tag.title or tag.name
    shown, bound = _with_unit(number(value, tag.decimals), tag.unit), _with_unit(number(limit.value, _EXACT), tag.unit)
    side = "above" if limit.side is Side.HIGH else "below"
    return Condition(
        key=key,
        kind=AlarmKind.LIMIT,
        code=f"limit_{limit.side}",
        priority=limit.priority,
        title=f"{title} {'high' if limit.side is Side.HIGH else 'low'}",
        sentence=f"{title} of {asset_title} is {shown}, {side} its limit of {bound}.",
        why=_normal(tag),
        advice=limit.advice,
        asset=asset,
        tag=f"{asset}/{tag.name}",
        value=value,
        limit=limit.value,
        unit=tag.unit,
        values={"value": value, "limit": limit.value, "tag": title, "asset": asset_title, "unit": tag.unit},
        latch=limit.latch,
        realarm_s=limit.realarm_s,
    )


def _normal(tag: Tag) -> str:
    if tag.normal is None:
        return ""
    low, high = number(tag.normal.low, _EXACT), _with_unit(number(tag.normal.high, _EXACT), tag.unit)
    return f"Normal is {low} to {high}."


def _with_unit(text: str, unit: str) -> str:
    return f"{text} {unit}" if unit else text
