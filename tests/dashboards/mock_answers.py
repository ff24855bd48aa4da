"""What the mock server says about predictions, models, alarms, health and the ledger."""

from __future__ import annotations

from typing import Any

from mock_signals import BROKEN, STARVED, WORN, Plant, _seed

TITLES = {
    "tool_life": "Remaining tool life",
    "dimension": "Deviation of the next part",
    "out_of_tolerance": "Probability out of tolerance",
    "pot_unusual": "Unusual behaviour of the pot",
    "anode_effect": "Risk of an anode effect in 30 min",
}


def _prediction(
    asset: str, target: str, now: float, numbers: tuple[float, float, float], unit: str, base: float, **more: Any
) -> dict[str, Any]:
    value, low, high = numbers
    return {
        "asset": asset, "target": target, "title": TITLES[target], "time": now - 4000, "value": value, "low": low, "high": high,  # noqa: E501
        "coverage": 0.9, "unit": unit, "status": "ok", "sentence": "", "advice": "", "baseline": base, "reasons": [],
        "model": target.replace("_", "-"), "trained_at": now - 600_000,
    } | more  # fmt: skip


def _reason(code: str, sentence: str, tag: str, weight: float) -> dict[str, Any]:
    return {"code": code, "sentence": sentence, "tag": tag, "weight": weight, "values": {}}


def predictions(plant: Plant, now: float) -> list[dict[str, Any]]:
    """Every asset has its predictions; the worn machine and the starved pot ask for action."""
    rows = []
    for asset in plant.assets:
        path, name = asset["path"], asset["asset"]
        r = (_seed(name) % 100) / 100
        if asset["type"] == "machine-tool":
            worn = name == WORN
            life = 6.0 if worn else 14 + 30 * r
            rows.append(
                _prediction(path, "tool_life", now, (life, life * 0.55, life * 1.4), "min", 24.0,
                    status="act" if worn else "watch" if life < 16 else "ok",
                    sentence=f"The tool lasts {life:.0f} more minutes of cutting.", advice="Change the tool before the next part." if worn else "",  # noqa: E501
                    reasons=[
                        _reason("power_up", "Spindle power is 31 % above that of this tool when new.", f"{path}/spindle.power", 0.62),  # noqa: E501
                        _reason("vibration_up", "Vibration is 2.9 mm/s; tools of this age show 1.6 mm/s.", f"{path}/vibration.rms", 0.27),  # noqa: E501
                        _reason("lot_hard", "The material lot is harder than average.", f"{path}/material.lot", 0.11)]))  # fmt: skip  # noqa: E501
            d = 19.0 if worn else -6 + 12 * r
            rows.append(_prediction(path, "dimension", now, (d, d - 9, d + 9), "µm", 0.0, reasons=[
                _reason("thermal", "The spindle is 6 °C warmer than an hour ago.", f"{path}/spindle.temperature", 0.5)]))  # fmt: skip  # noqa: E501
            p = 0.34 if worn else 0.01 + 0.05 * r
            rows.append(
                _prediction(
                    path,
                    "out_of_tolerance",
                    now,
                    (p, p * 0.5, min(1, p * 1.6)),
                    "",
                    0.03,
                    status="watch" if worn else "ok",
                )
            )
        else:
            starved = name == STARVED
            p = 0.72 if starved else 0.01 + 0.06 * r
            rows.append(
                _prediction(path, "anode_effect", now, (p, p * 0.7, min(1.0, p * 1.25)), "", 0.02, status="act" if starved else "ok",  # noqa: E501
                    sentence="Alumina is low: an anode effect is likely within 30 minutes.", advice="Feed now and watch the resistance slope." if starved else "",  # noqa: E501
                    reasons=[
                        _reason("slope", "The resistance rises by 0.11 µΩ a minute while the feed is low.", f"{path}/resistance", 0.7),  # noqa: E501
                        _reason("noise_up", "Voltage noise is twice that of the neighbours.", f"{path}/noise", 0.3)]))  # fmt: skip  # noqa: E501
            u = 4.1 if starved else 0.4 + r
            rows.append(
                _prediction(
                    path, "pot_unusual", now, (u, u * 0.8, u * 1.2), "σ", 1.0, status="watch" if starved else "ok"
                )
            )
    return rows


def models(now: float) -> list[dict[str, Any]]:
    """Three models with honest scores, one of them not better than its baseline in one score."""
    return [
        _model("dimension", "Deviation of the next part", now, "Tested on machines 17 to 20 and on the last 2 days, which training never saw.", [  # noqa: E501
            ("mean absolute error", 4.21, 9.87, "mean of the last 20 parts", "µm", "lower", True), ("R²", 0.78, 0.0, "mean", "", "higher", True)], 0.894),  # noqa: E501
        _model("tool-life", "Remaining tool life", now, "Tested on machines 17 to 20, split by machine and by time.", [
            ("mean absolute error", 2.6, 5.4, "limit minus age", "min", "lower", True), ("pinball loss", 0.91, 0.88, "fixed quantile", "min", "lower", False)], 0.912),  # noqa: E501
        _model("anode-effect", "Risk of an anode effect in 30 min", now, "Tested on pots 33 to 40 and on the last 2 days.", [  # noqa: E501
            ("average precision", 0.63, 0.04, "share of positives", "", "higher", True), ("Brier score", 0.021, 0.038, "base rate", "", "lower", True)], None),  # noqa: E501
    ]  # fmt: skip


def _model(
    name: str, title: str, now: float, split: str, metrics: list[tuple[Any, ...]], measured: float | None
) -> dict[str, Any]:
    keys = ("name", "value", "baseline", "baseline_name", "unit", "better", "beats")
    return {
        "name": name, "target": name.replace("-", "_"), "title": title, "state": "ready", "trained_at": now - 600_000, "cpu_s": 7.3,  # noqa: E501
        "rows": 184_220, "split": split, "metrics": [dict(zip(keys, row, strict=True)) for row in metrics],
        "coverage": None if measured is None else {"nominal": 0.9, "measured": measured},
    }  # fmt: skip


DEVICE = {
    "source": "potline", "subject": "Pot 22", "severity": 240, "keeps": True, "confirm": False, "pending": None,
    "answers": ["acknowledge", "confirm", "comment"],
}  # fmt: skip


def alarms(plant: Plant, start: float) -> list[dict[str, Any]]:
    """Open alarms of three priorities and two that are over."""
    path = {asset["asset"]: asset["path"] for asset in plant.assets}
    rows = [
        (path[BROKEN], None, "model", "stopped", 1, "active", "Machine aborted its cycle", 200_000, None, None, ""),
        (
            path[WORN],
            "vibration.rms",
            "limit",
            "limit_high",
            2,
            "active",
            "Vibration above 2.83 mm/s",
            95_000,
            3.12,
            2.83,
            "mm/s",
        ),
        (
            path[STARVED],
            "voltage",
            "limit",
            "limit_high",
            2,
            "acknowledged",
            "Voltage above 4.455 V",
            340_000,
            4.47,
            4.455,
            "V",
        ),
        (
            path["pot-22"],
            "noise",
            "limit",
            "limit_high",
            3,
            "returned",
            "Voltage noise above 23.6 mV",
            500_000,
            24.2,
            23.6,
            "mV",
        ),
        (
            path["cnc-02"],
            "spindle.temperature",
            "limit",
            "limit_high",
            3,
            "closed",
            "Spindle temperature above 60.4 °C",
            9_000_000,
            61.0,
            60.4,
            "°C",
        ),
    ]
    keys = ("asset", "tag", "kind", "code", "priority", "state", "title", "since", "value", "limit", "unit")
    result = []
    for i, row in enumerate(rows):
        alarm = dict(zip(keys, row, strict=True))
        alarm["since"] = start - alarm["since"]
        alarm["tag"] = alarm["tag"] and f"{alarm['asset']}/{alarm['tag']}"
        done = alarm["state"] in {"returned", "closed"}
        alarm |= {
            "id": f"a-{i + 1}", "sentence": f"{alarm['title']} for more than 5 s.", "why": "It rose over the last 20 minutes while the feed stayed the same.",  # noqa: E501
            "advice": "Look at the tool, then lower the cutting speed by 10 %.", "returned": alarm["since"] + 60_000 if done else None,  # noqa: E501
            "acknowledged": {"by": "Chen", "time": alarm["since"] + 30_000, "note": "seen"} if alarm["state"] in {"acknowledged", "closed"} else None, "values": {},  # noqa: E501
        }  # fmt: skip
        if alarm["code"] == "limit_high" and alarm["state"] == "returned":
            alarm["device"] = DEVICE | {"time": alarm["since"]}
        result.append(alarm)
    return result


def health(plant: Plant, now: float, start: float, busy: float | None) -> dict[str, Any]:
    """Health of the mock plant; `busy` is the progress of history import, None when it is complete."""
    flowing = [
        ("machining", "opcua", "opc.tcp://127.0.0.1:4840/shopfloor/", 2104),
        ("potline", "mqtt", "mqtt://127.0.0.1:1883", 1312),
    ]
    counted = int((now - start) / 1000) + 4000
    sources = [_source(name, kind, url, rate, now, counted) for name, kind, url, rate in flowing]
    history = _source("history", "recording", "recordings", 0, now, counted) | {
        "state": "finished",
        "newest_age_s": None,
        "detail": "20 412 000 values imported.",
    }
    rows = [
        ("server", "server", 412),
        ("edge-1", "gateway", 165),
        ("machining", "simulator", 240),
        ("potline", "simulator", 231),
        ("broker", "broker", 41),
    ]
    return {
        "status": "ok", "sentence": "2 of 2 sources send data, 3,416 values/s.", "time": now, "version": "0.1.0",
        "timezone": "Asia/Shanghai",
        "shifts": ["early", "late", "night"],
        "processes": [{"name": name, "kind": kind, "state": "running", "pid": 4000 + i, "rss_bytes": mb * 1e6, "cpu_percent": 4.0 + i, "values_per_s": None if kind == "broker" else 3416.0,  # noqa: E501
            "newest_time": None if kind == "broker" else now - 300, "detail": ""} for i, (name, kind, mb) in enumerate(rows)],  # noqa: E501
        "sources": [*sources, history],
        "history": {"state": "complete" if busy is None else "importing", "rows": int(20_412_000 * (1 if busy is None else busy)), "rows_expected": 20_412_000,  # noqa: E501
            "progress": 1.0 if busy is None else busy, "oldest": now - 7 * 86_400_000, "newest": now},
        "brain": {"state": "ready" if busy is None else "training", "progress": busy, "sentence": "Three models are in use." if busy is None else "Tool life: fold 2 of 4.", "cpu_s": 21.4},  # noqa: E501
        "store": {"rows": 20_412_000 + counted * 3416, "bytes": 61_000_000, "segments": 84, "state": "ok"},
    }  # fmt: skip


def _source(name: str, kind: str, url: str, rate: int, now: float, counted: int) -> dict[str, Any]:
    total = rate * counted
    return {
        "gateway": "edge-1-0a1b2c3d", "name": name, "kind": kind, "url": url, "state": "connected", "detail": "All tags are subscribed.", "tags": 560 if rate else 1200,  # noqa: E501
        "values_per_s": float(rate), "newest_time": now - 250, "newest_age_s": 0.25, "good": int(total * 0.993), "uncertain": int(total * 0.005), "bad": int(total * 0.002),  # noqa: E501
        "reconnects": 1, "accepted": total, "spooled": 0, "rejected": 0, "dropped": 0,
    }  # fmt: skip


def ledger(now: float, start: float) -> dict[str, Any]:
    """A ledger that balances."""
    counted = int((now - start) / 1000) + 4000
    rows = [
        {"gateway": "edge-1-0a1b2c3d", "source": name, "accepted": rate * counted, "spooled": 412, "stored": rate * counted - 412, "rejected": 0, "dropped": 0, "duplicates": 3,  # noqa: E501
            "balanced": True, "sentence": "Every accepted value is accounted for."}
        for name, rate in [("machining", 2104), ("potline", 1312), ("history", 5103)]
    ]  # fmt: skip
    return {"balanced": True, "sources": rows, "store": {"rows": 20_412_000}}
