"""What the mock server says of the life of models: versions, evidence, events, a replay that goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

Part = dict[str, Any]
REFUSED: Final = (
    "Version 3 of tool-life is not promoted on *: a loss -0.12 beside version 2's, at 95% confidence at most +0.04,"
    " which must be below 0."
)
DAY: Final = 86_400_000


def registry(now: float) -> list[Part]:
    """The life of three models: one without anything else, one with a proposed version, one that spreads."""
    place = {
        "scope": "*", "champion": 1, "since": now - 600_000, "before": [], "shadows": [], "retired": [],
        "proposed": None, "rollout": None, "alarm": "",
    }  # fmt: skip
    rollout = {"number": 3, "wave": 1, "share": 0.1, "line": "delta/smelter/potline", "since": now, "by": "Anna"}
    return [
        _life("dimension", 1, place),
        _life("tool-life", 4, place | {"champion": 2, "before": [1], "shadows": [3], "proposed": 3}),
        _life("anode-effect", 3, place | {"rollout": rollout}),
    ]


def _life(name: str, versions: int, place: Part) -> Part:
    several = [{"number": n, "state": "ready"} for n in range(versions, 0, -1)]
    return {"name": name, "title": "", "target": name.replace("-", "_"), "versions": several, "places": [place]}


def evidence(_: float, number: int) -> Part:
    """One condition holds, one does not."""
    conditions = [
        {"name": "labels", "holds": True, "sentence": "412 labelled windows of 200 that are needed"},
        {"name": "loss", "holds": False, "sentence": "a loss -0.12 beside version 2's, at 95% confidence at most +0.04, which must be below 0"},  # noqa: E501
    ]  # fmt: skip
    return {"number": number, "against": 2, "conditions": conditions}


def scores(now: float, number: int) -> Part:
    """What a version that is compared said last of two machines, the champion beside it; one lacks a tag."""
    path = "delta/frames/machining/cell-a/cnc-0"
    one = {"live": False, "champion": 2, "champion_low": 20.0, "champion_high": 31.0}
    rows = [
        {**one, "asset": f"{path}{i}", "time": now - 9_000 - back, "value": value, "low": value - 5, "high": value + 5,
         "champion_value": 25.0 + i}
        for back in (0, 60_000) for i, value in ((1, 24.25), (2, 7.5))
    ]  # fmt: skip
    left_out = [{"asset": f"{path}3", "sentence": "The asset has no value of oil.flow yet: the model needs it."}]
    return {"number": number, "unit": "min", "kind": "regression", "classes": [], "scores": rows, "left_out": left_out}


def events(now: float) -> list[Part]:
    """What happened to a model; version 3 was replayed."""
    said = (
        ("replayed", 3, "Anna", "", outcome(now)),
        ("proposed", 3, "system: brain", "It waits for a person to approve it.", None),
        ("champion", 2, "Anna", "better on both shifts", None),
    )
    return [
        {"sequence": 9 - i, "time": now - i * 60_000, "what": what, "number": n, "scope": "*", "by": by, "why": why, "detail": detail}  # noqa: E501
        for i, (what, n, by, why, detail) in enumerate(said)
    ]  # fmt: skip


def outcome(now: float) -> Part:
    """What came of a replay of version 3 beside version 2."""
    own = {
        "number": 3, "windows": 48_200, "silent": 0, "hits": 412, "misses": 38, "false": 61, "quiet": 20_418,
        "alarms": 130, "alarms_per_day": 18.6, "alarms_false": 9, "alarms_true": 101, "events": 118, "caught": 111,
        "lead_median": 14.0, "lead_least": 2.0, "cost": 79.0,
    }  # fmt: skip
    other = own | {"number": 2, "hits": 371, "misses": 79, "false": 148, "quiet": 20_331, "alarms_per_day": 24.1}
    other |= {"caught": 97, "lead_median": 9.0, "cost": 231.0}
    told = {"number": 3, "against": 2, "windows": 20_929, "loss": 2.61, "loss_against": 3.05, "coverage": 0.893}
    return {
        "scope": "*", "start": now - 7 * DAY, "end": now, "assets": 20, "evidence": told | {"nominal": 0.9},
        "version": own, "against": other, "cpu_s": {"reading": 1.7, "describing": 2.1, "scoring": 0.9},
    }  # fmt: skip


def job(name: str, number: int) -> Part:
    """A replay that has begun."""
    return {
        "id": "r1", "name": name, "number": number, "state": "running", "progress": 0.0,
        "sentence": "Reading the history.", "result": None,
    }  # fmt: skip


def further(one: Part, *, hold: bool) -> Part:
    """A third further, and done in the end; held, it stays on its way."""
    if one["state"] != "running":
        return one
    progress = min(one["progress"] + 0.34, 0.42 if hold else 1.0)
    if progress < 1.0:
        return one | {"progress": progress}
    return one | {"progress": 1.0, "state": "done", "sentence": "The replay is done."}


def drift(now: float, number: int) -> Part:
    """Twelve features, two of them much changed; the test for shifted means found one."""
    several = [("spindle.power mean", 0.61, 0.4, now - 7_200_000), ("vibration p95", 0.27, 0.9, None)]
    several += [(f"coolant.flow {i}", 0.14 / i, 0.1 * i, None) for i in range(1, 11)]
    features = [{"name": n, "psi": psi, "level": level, "moved": moved} for n, psi, level, moved in several]
    said = "2 of 12 features look much different from training, the mean of 1 has moved."
    return {
        "name": "", "number": number, "time": now, "sentence": said, "rows": 5_760, "since": now - DAY, "some": 0.1,
        "much": 0.2, "steps": 60, "steps_missing": 0, "features": features,
        "coverage": {"windows": 1_204, "measured": 0.893, "nominal": 0.9, "alarm": False},
    }  # fmt: skip


ANSWERS: Final[dict[str, Callable[..., Any]]] = {
    "evidence": evidence, "events": events, "drift": drift, "scores": scores,
}  # fmt: skip
