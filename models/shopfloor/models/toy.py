"""Small worlds with a hidden cause, for tests and examples: machines whose tools wear, pots that run out of alumina.

Nothing here imitates a real plant closely; it is causal (wear raises power and shifts the dimension, starvation raises
resistance before the anode effect), so that a model can be shown to find what is there and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from shopfloor.models.columns import DAY, MINUTE, SECOND, Columns, Steps

_CUT, _CHANGE = 60, 20


def machine(seed: int, days: float, *, start: int = 0, worn: float = 1.0) -> dict[str, Steps]:
    """One machine tool: a part every 80 s, every tenth probed five minutes later; `worn` speeds up the wear."""
    rng = np.random.default_rng(seed)
    count = int(days * DAY / SECOND / (_CUT + _CHANGE))
    begin = start + np.arange(count) * (_CUT + _CHANGE) * SECOND
    end = begin + _CUT * SECOND
    rate = 0.02 * np.exp(rng.normal(0, 0.2)) * worn
    base = rng.normal(5.0, 0.2)
    wear, tool, age = 0.0, 1, 0.0
    life = rng.normal(1.0, 0.12)
    columns: dict[str, list[float]] = {name: [] for name in ("wear", "tool", "age", "hard")}
    hard, pace = 0.0, np.exp(rng.normal(0, 0.2))
    for number in range(count):
        if wear > life:
            wear, age, tool = 0.0, 0.0, tool + 1
            life, pace = rng.normal(1.0, 0.12), np.exp(rng.normal(0, 0.25))
        if number % 120 == 0:
            hard = rng.normal(0, 0.04)
        for name, value in (("wear", wear), ("tool", tool), ("age", age), ("hard", hard)):
            columns[name].append(value)
        wear += rate * pace * (1.0 + hard)
        age += _CUT / 60.0
    hidden = {name: np.array(values) for name, values in columns.items()}
    thermal = 3.0 * np.sin(2 * np.pi * (begin - start) / DAY)
    dimension = 35.0 * hidden["wear"] ** 1.5 - 8.0 + thermal + rng.normal(0, 1.0, count)
    power = base * (1.0 + 0.35 * hidden["wear"] + hidden["hard"]) + rng.normal(0, 0.04, count)
    part = np.arange(count, dtype=float) + 1000.0
    probed = np.arange(0, count, 10)
    return {
        "spindle.power": _pulses(begin, end, power, 0.4),
        "spindle.torque": _pulses(begin, end, power * 3.0, 0.0),
        "spindle.load": _pulses(begin, end, power * 8.0, 1.0),
        "axis.z.load": _pulses(begin, end, 20.0 + 10.0 * hidden["wear"] + rng.normal(0, 0.5, count), 1.0),
        "vibration.rms": _pulses(begin, end, 1.0 + 0.8 * hidden["wear"] + rng.normal(0, 0.08, count), 0.1),
        "spindle.temperature": Steps(begin, 35.0 + thermal),
        "setpoint.speed": Steps(np.array([start]), np.array([200.0])),
        "state": Steps(np.ravel(np.column_stack([begin, end])), np.array(["EXECUTE", "COMPLETE"] * count, object)),
        "material.lot": Steps(begin, np.array([f"lot-{i // 120}" for i in range(count)], object)),
        "part.id": Steps(begin, part),
        "part.count": Steps(end, part + 1.0),
        "tool.id": Steps(begin, hidden["tool"]),
        "tool.minutes": Steps(begin, hidden["age"]),
        "probe.part": Steps(end[probed] + 5 * MINUTE, part[probed]),
        "probe.dimension": Steps(end[probed] + 5 * MINUTE, dimension[probed]),
        "truth.dimension": Steps(end, dimension),
    }


def _pulses(begin: Any, end: Any, high: Any, low: float) -> Steps:
    """High during the cut, low between."""
    time = np.ravel(np.column_stack([begin, end]))
    return Steps(time, np.ravel(np.column_stack([high, np.full(len(high), low)])))


def pot(seed: int, days: float, *, start: int = 0, starved_from: int | None = None) -> dict[str, Steps]:
    """One pot, a value every 30 s: its feeder sometimes starves it, resistance climbs, then an anode effect comes.

    `starved_from` (UTC ns) is a fault from which the feeder gives half.
    """
    rng = np.random.default_rng(seed)
    count = int(days * DAY / SECOND / 30)
    time = start + np.arange(count) * 30 * SECOND
    level, feeding, effect = 2.6, 1.0, 0
    alumina, fed, active = np.empty(count), np.empty(count), np.zeros(count)
    for i in range(count):
        if rng.random() < 30 / 86400 * 2.0:
            feeding = rng.choice([1.0, 0.6])
        given = 0.5 if starved_from is not None and time[i] >= starved_from else feeding
        level = min(level + (given - 0.97) * 0.006, 3.2) if not effect else level + 0.2
        if level < 1.7 and not effect:
            effect = 8
        active[i] = float(effect > 0)
        effect = max(effect - 1, 0)
        alumina[i], fed[i] = level, given
    resistance = 13.0 + 1.2 * np.maximum(2.6 - alumina, 0.0) ** 2 + rng.normal(0, 0.02, count) + 25.0 * active
    return {
        "resistance": Steps(time, resistance + rng.normal(0, 0.05)),
        "voltage": Steps(time, 1.6 + resistance * 0.2),
        "noise": Steps(time, 8.0 + 2.0 * np.maximum(2.2 - alumina, 0.0) + rng.normal(0, 0.6, count)),
        "current": Steps(time, 320.0 + rng.normal(0, 0.5, count)),
        "feed.rate": Steps(time, 190.0 * fed + rng.normal(0, 5.0, count)),
        "setpoint.voltage": Steps(np.array([start]), np.array([4.2])),
        "bath.temperature": Steps(time[::960], 958.0 + rng.normal(0, 3.0, len(time[::960]))),
        "state": Steps(time, np.where(active > 0, "ANODE_EFFECT", "NORMAL").astype(object)),
        "anode_effect": Steps(time, active),
    }


def table(assets: Mapping[str, Columns], start: int, end: int, *, names: Iterable[str] | None = None) -> pa.Table:
    """What `Reader.read` answers for these assets, with the value held at `start` before it."""
    wanted = set(names) if names is not None else None
    tags, times, values, texts = [], [], [], []
    for asset in sorted(assets):
        for name in sorted(assets[asset]):
            if name.startswith("truth.") or (wanted is not None and f"{asset}/{name}" not in wanted):
                continue
            steps = assets[asset][name].since(start).before(end)
            is_text = steps.value.dtype == object
            tags += [f"{asset}/{name}"] * len(steps.time)
            times.append(steps.time)
            values.append(np.full(len(steps.time), np.nan) if is_text else steps.value)
            texts += list(steps.value) if is_text else [None] * len(steps.time)
    time = np.concatenate(times) if times else np.empty(0, np.int64)
    return pa.table(
        {
            "tag": pa.array(tags, pa.string()).dictionary_encode(),
            "time": pa.array(time, pa.timestamp("ns", "UTC")),
            "value": pa.array(np.concatenate(values) if values else np.empty(0)),
            "text": pa.array(texts, pa.string()),
            "quality": pa.array(np.zeros(len(time), np.uint32)),
        }
    )
