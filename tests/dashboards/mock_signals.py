"""Plausible signals of twenty machine tools and forty pots: pure functions of tag and time, so history and live agree."""  # noqa: E501

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# name, unit, title, decimals, normal low, normal high, rate per second
MACHINE = [
    ("spindle.speed", "rpm", "Spindle speed", 0, 7200, 8800, 5),
    ("spindle.load", "%", "Spindle load", 1, 25, 75, 5),
    ("spindle.power", "kW", "Spindle power", 2, 2, 9, 5),
    ("axis.x.load", "%", "X axis load", 1, 5, 45, 5),
    ("axis.z.load", "%", "Z axis load", 1, 5, 55, 5),
    ("vibration.rms", "mm/s", "Vibration", 2, 0.4, 2.2, 5),
    ("feed.rate", "mm/min", "Feed rate", 0, 900, 1700, 5),
    ("coolant.flow", "l/min", "Coolant flow", 1, 14, 22, 5),
    ("spindle.temperature", "°C", "Spindle temperature", 1, 28, 52, 1),
    ("bearing.temperature", "°C", "Bearing temperature", 1, 30, 60, 1),
    ("coolant.concentration", "%", "Coolant concentration", 1, 6, 10, 1),
]
POT = [
    ("voltage", "V", "Voltage", 3, 4.05, 4.35, 5),
    ("current", "kA", "Current", 1, 196, 204, 5),
    ("resistance", "µΩ", "Pseudo-resistance", 3, 12.0, 13.4, 5),
    ("noise", "mV", "Voltage noise", 1, 2, 18, 5),
    ("duct.temperature", "°C", "Duct temperature", 0, 105, 145, 5),
    ("feed.rate", "kg/h", "Feed rate", 1, 70, 110, 5),
    ("beam.position", "mm", "Beam position", 1, 60, 240, 1),
    ("bath.height", "cm", "Bath height", 1, 17, 22, 1),
]
STEP_MS = 200.0
BAD, UNCERTAIN = 0x808C_0000, 0x4093_0000
WORN, STARVED, BROKEN, SICK = "cnc-07", "pot-13", "cnc-15", "pot-29"
MACHINE_STATES = ["EXECUTE", "COMPLETE", "IDLE", "STARTING", "HELD", "ABORTED"]
POT_STATES = ["NORMAL", "OVERFEED", "UNDERFEED", "TAPPING", "ANODE_CHANGE", "ANODE_EFFECT"]


def _seed(text: str) -> int:
    return zlib.crc32(text.encode())


def noise(path: str, ms: Floats) -> Floats:
    """Uniform noise in [-1, 1], hashed by tag and time."""
    x = (ms.astype(np.int64) // 100).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(_seed(path))
    x ^= x >> np.uint64(31)
    x *= np.uint64(0xBF58476D1CE4E5B9)
    x ^= x >> np.uint64(29)
    return (x >> np.uint64(11)).astype(np.float64) / 2**52 - 1.0


def signal(tag: dict[str, Any], ms: Floats) -> Floats:
    """Value of a numeric tag at times in ms."""
    path = tag["path"]
    asset, name = path.split("/")[-2:]
    low, high = tag["normal"] or (0.0, 100.0)
    middle, reach = (low + high) / 2, (high - low) / 2
    phase = (_seed(path) % 1000) / 1000 * 2 * np.pi
    slow = np.sin(ms / 240_000 * 2 * np.pi + phase)
    fast = np.sin(ms / 17_000 * 2 * np.pi + 3 * phase)
    value = middle + reach * (0.35 * slow + 0.2 * fast + 0.14 * noise(path, ms))
    if asset == WORN and name in {"spindle.load", "spindle.power", "vibration.rms"}:
        value = value + reach * (1.15 + 0.1 * fast)
    if asset == STARVED and name in {"voltage", "noise", "resistance"}:
        value = value + reach * (1.05 + 0.2 * fast)
    return np.asarray(value)


def quality(ms: Floats) -> NDArray[np.int64]:
    """Bad for a minute of every hour, uncertain for two minutes after it."""
    minute = ms % 3_600_000 / 60_000
    return np.select([(minute > 25) & (minute < 26), (minute > 26) & (minute < 28)], [BAD, UNCERTAIN], 0)


def shifts(start: float, end: float) -> tuple[list[float], list[str]]:
    """Begins of the shifts of twelve hours that a time touches, and their names."""
    half = 43_200_000
    begins = [float(at) for at in range(int(start // half) * half, int(end), half)]
    return begins, ["day" if at % (2 * half) == 0 else "night" for at in begins]


def state_of(asset: str, ms: float) -> str:
    """State word of an asset: cycles of about three minutes, a few assets in trouble."""
    if asset == BROKEN:
        return "ABORTED"
    if asset == SICK:
        return "ANODE_CHANGE"
    at = (ms / 1000 + _seed(asset) % 200) % 200
    if asset.startswith("cnc"):
        return "EXECUTE" if at < 165 else "COMPLETE" if at < 172 else "IDLE" if at < 190 else "STARTING"
    return "NORMAL" if at < 80 else "OVERFEED" if at < 120 else "UNDERFEED"


def states_between(asset: str, start: float, end: float) -> tuple[list[float], list[str]]:
    """Changes of the state, the one in force at the start first."""
    grid = np.arange(start // 1000 * 1000, end, 1000.0)
    times: list[float] = []
    words: list[str] = []
    for ms in grid:
        word = state_of(asset, float(ms))
        if not words or words[-1] != word:
            times.append(float(ms))
            words.append(word)
    return times, words


def history(tag: dict[str, Any], start: float, end: float, points: int) -> dict[str, Any]:
    """What the server answers about a tag in a time: every value, or a picture of about so many points."""
    answer: dict[str, Any] = {"tag": tag["path"], "unit": tag["unit"], "kind": tag["kind"], "downsampled": False}
    if tag["kind"] == "text":
        times, words = states_between(tag["path"].split("/")[-2], start, end)
        return answer | {"time": times, "value": words, "quality": [0] * len(times)}
    downsampled = (end - start) / STEP_MS > points
    step = (end - start) / points if downsampled else STEP_MS
    ms = np.arange(start // step * step + step, end, step)
    value = signal(tag, ms)
    around = np.stack([signal(tag, ms + step * k / 8) for k in range(-4, 5)]) if downsampled else value[None, :]
    status = quality(ms).tolist()
    return answer | {
        "downsampled": downsampled,
        "time": ms.tolist(),
        "value": [None if q >> 31 else v for v, q in zip(value.tolist(), status, strict=True)],
        "low": around.min(axis=0).tolist(),
        "high": around.max(axis=0).tolist(),
        "quality": status,
    }


@dataclass(frozen=True)
class Plant:
    """Assets as the server lists them, and their tags by path."""

    assets: list[dict[str, Any]]
    tags: dict[str, dict[str, Any]]
    rates: dict[str, int]


def _tag(asset: str, name: str, unit: str, title: str, decimals: int, normal: list[float] | None) -> dict[str, Any]:
    limits = []
    if normal and name in {"spindle.load", "vibration.rms", "voltage", "noise", "spindle.temperature"}:
        limits = [{"side": "high", "value": normal[1] + (normal[1] - normal[0]) * 0.35, "priority": 2}]
    return {
        "path": f"{asset}/{name}", "name": name, "kind": "float", "unit": unit, "title": title, "description": "",
        "decimals": decimals, "normal": normal, "limits": limits, "states": [], "writable": name.startswith("setpoint"),
    }  # fmt: skip


def _text(asset: str, name: str, title: str, states: list[str]) -> dict[str, Any]:
    return _tag(asset, name, "", title, 0, None) | {"kind": "text", "states": states}


def _asset(path: str, title: str, kind: str, rates: dict[str, int]) -> dict[str, Any]:
    site, area, line, cell, name = path.split("/")
    rows, states = (MACHINE, MACHINE_STATES) if kind == "machine-tool" else (POT, POT_STATES)
    tags = [_text(path, "state", "State", states), _text(path, "material.lot", "Material lot", [])]
    for tag, unit, label, decimals, low, high, rate in rows:
        tags.append(_tag(path, tag, unit, label, decimals, [low, high]))
        rates[f"{path}/{tag}"] = rate
    extra = [
        ("setpoint.speed", "m/min", "Cutting speed setpoint"),
        ("tool.minutes", "min", "Cutting minutes of the tool"),
    ]
    if kind != "machine-tool":
        extra = [("setpoint.voltage", "V", "Voltage setpoint"), ("bath.temperature", "°C", "Bath temperature")]
    tags += [_tag(path, tag, unit, label, 1, None) for tag, unit, label in extra]
    return {
        "path": path, "site": site, "area": area, "line": line, "cell": cell, "asset": name, "type": kind, "title": title,  # noqa: E501
        "type_title": "Machine tool" if kind == "machine-tool" else "Reduction pot", "state": state_of(name, 0.0),
        "alarms": {"1": 0, "2": 0, "3": 0}, "tags": tags,
    }  # fmt: skip


def plant() -> Plant:
    """The demo plant: twenty machine tools in two cells, forty pots in two rows."""
    rates: dict[str, int] = {}
    assets = []
    for i in range(1, 21):
        cell = "cell-a" if i <= 10 else "cell-b"
        assets.append(_asset(f"delta/frames/machining/{cell}/cnc-{i:02d}", f"CNC {i:02d}", "machine-tool", rates))
    for i in range(1, 41):
        row = "row-1" if i <= 20 else "row-2"
        assets.append(_asset(f"delta/smelter/potline/{row}/pot-{i:02d}", f"Pot {i:02d}", "reduction-pot", rates))
    return Plant(assets, {tag["path"]: tag for asset in assets for tag in asset["tags"]}, rates)
