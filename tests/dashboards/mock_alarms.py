"""What the mock server says of alarms: those that are set aside, the load, the journal."""

from __future__ import annotations

from typing import Any

GUIDE = {
    "per_10min": 1.0, "per_hour": 6.0, "per_day": 150.0, "peak_10min": 10.0, "flood_percent": 1.0, "chattering": 0,
    "stale": 5, "top_10_percent": 5.0, "shares": {"1": 5.0, "2": 15.0, "3": 80.0},
}  # fmt: skip
EVENTS = {"shelve": "shelved", "out-of-service": "out-of-service", "unshelve": "active", "in-service": "active"}


def load(alarms: list[dict[str, Any]], now: float, *, flood: bool) -> dict[str, Any]:
    """A day with one alarm that comes too often; in a flood more than an operator can follow."""
    often = [
        {"key": str(a["id"]), "title": a["title"], "asset": a["asset"], "priority": a["priority"], "count": 9 - i}
        for i, a in enumerate(alarms)
    ]
    new = 37 if flood else 0
    return {
        "per_10min": 0.5 + new, "per_hour": 4.0 + new, "per_day": 61.0 + new, "operators": 1, "peak_10min": 7.0 + new,
        "flood_percent": 0.0, "flood": {"since": now - 240_000, "new": new} if flood else None,
        "chattering": often[:1], "stale": [], "shares": {"1": 8.0, "2": 31.0, "3": 61.0}, "top": often,
        "top_10_percent": 88.0, "guide": GUIDE,
    }  # fmt: skip


def act(alarm: dict[str, Any], what: str, body: dict[str, Any], now: float) -> dict[str, Any]:
    """Set an alarm aside or bring it back; the row of the journal."""
    before = alarm["aside"]["kind"] if alarm.get("aside") else alarm["state"]
    minutes = body.get("minutes", 480)
    aside = {"by": body["by"], "since": now, "until": None, "reason": body.get("reason", "")}
    if what == "shelve":
        alarm["aside"] = aside | {"kind": "shelved", "until": now + minutes * 60_000}
    elif what == "out-of-service":
        alarm["aside"] = aside | {"kind": "out-of-service"}
    else:
        alarm["aside"] = None
    after = EVENTS[what] if alarm["aside"] else alarm["state"]
    return row(alarm, now, before, after, body["by"], body.get("reason", ""))


def designed(assets: list[dict[str, Any]], alarms: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every machine has an alarm that never came, at two limits; one that was set aside says so."""
    aside = {alarm.get("key"): alarm.get("aside") for alarm in alarms}
    return [
        {
            "key": key, "kind": "limit", "asset": asset["path"], "tag": f"{asset['path']}/oil.pressure",
            "code": "limit_low", "priority": level, "title": "Oil pressure low", "limit": limit, "unit": "bar",
            "values": {}, "latch": False, "state": "normal", "alarm": None, "since": None, "aside": aside.get(key),
        }
        for asset in assets
        for level, limit in ((2, 3.5), (1, 2.0))
        for key in [f"limit:{asset['path']}/oil.pressure:low:{limit:g}"]
    ]  # fmt: skip


def foreseen(alarms: list[dict[str, Any]], key: str) -> dict[str, Any]:
    """The alarm that stands for one that never came."""
    asset = key.split(":")[1].rpartition("/")[0]
    unseen = {"state": "closed", "since": 0, "returned": None, "acknowledged": None, "device": None, "aside": None}
    named = {"id": f"early-{len(alarms)}", "key": key, "asset": asset, "title": "Oil pressure low"}
    return alarms[0] | unseen | named | {"sentence": "Oil pressure low has not come yet."}


def row(alarm: dict[str, Any], now: float, before: str, after: str, by: str = "", reason: str = "") -> dict[str, Any]:
    """A transition."""
    return {
        "number": int(now * 10), "time": now, "kind": f"alarm-{after}", "asset": alarm["asset"], "alarm": alarm["id"],
        "sentence": "", "title": alarm["title"], "code": alarm["code"], "priority": alarm["priority"],
        "before": before, "after": after, "by": by, "reason": reason, "aside": "",
    }  # fmt: skip


def journal(rows: list[dict[str, Any]], asked: dict[str, str]) -> list[dict[str, Any]]:
    """Rows that fit a question, the newest first."""
    found = [
        one for one in rows
        if (asked.get("state") in {None, one["after"]})
        and asked.get("text", "").casefold() in f"{one['title']} {one['by']} {one['reason']}".casefold()
        and one["number"] < int(asked.get("before", 1 << 63))
        and one["priority"] <= int(asked.get("priority", 3))
    ]  # fmt: skip
    return sorted(found, key=lambda one: -one["number"])[: int(asked.get("limit", 200))]
