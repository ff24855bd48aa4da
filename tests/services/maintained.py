"""A server of three machines and two pots with predictions that a test knows, to ask it for maintenance."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from running_server import FakeBrain, Running, S, running
from shopfloor.plant import Kind, Sample
from shopfloor.plant.config import loads
from shopfloor.services import learned
from shopfloor.services.registry import Card, Label, Prediction

PLANT = """
plant: {site: delta}
types:
  machine-tool:
    tags:
      state: {kind: text, states: [EXECUTE, IDLE]}
      tool.id: {kind: int64}
      part.count: {kind: int64}
    production: {state: state, states: {EXECUTE: running, IDLE: idle}, count: part.count, ideal_cycle: 30s}
  pot:
    tags:
      state: {kind: text, states: [NORMAL, ANODE_CHANGE]}
assets:
  - {path: "delta/frames/machining/cell-a/cnc-[01..03]", type: machine-tool, title: "CNC [01..03]"}
  - {path: "delta/smelter/potline/row-1/pot-[01..02]", type: pot, title: "Pot [01..02]"}
"""
CNC, POT = "delta/frames/machining/cell-a/cnc-0", "delta/smelter/potline/row-1/pot-0"
MINUTE = 60 * S
WHY = [{"code": "tag", "sentence": "The tool has cut for 60 min.", "tag": "tool.id", "weight": -9.0, "values": {}}]


def said(now: int, asset: str, target: str, value: float | None, **more: Any) -> dict[str, Any]:
    """A prediction of a minute ago."""
    return {
        "asset": asset, "target": target, "title": target, "time": (now - MINUTE) / 1e6, "value": value, "low": None,
        "high": None, "coverage": 0.9, "unit": "min", "status": "ok", "sentence": "Said.", "advice": "",
        "baseline": None,
        "reasons": WHY, "model": target.replace("_", "-"), "trained_at": None, "version": 1, **more,
    }  # fmt: skip


CARDS = {
    "tool-life": Card("tool-life", "tool_life", "Tool life", "regression", "min", 0.9, 0, "ready"),
    "anode-effect": Card("anode-effect", "anode_effect", "Anode effect", "probability", "", 0.9, 0, "ready"),
}


def predictions(now: int) -> list[dict[str, Any]]:
    """What was said of each asset."""
    return [
        said(now, f"{CNC}1", "tool_life", 600.0, low=500.0, high=700.0),
        said(now, f"{CNC}2", "tool_life", 40.0, low=35.0, high=45.0, status="watch"),
        said(now, f"{CNC}3", "tool_life", None, status="unknown", sentence="No data for 9 minutes."),
        said(now, f"{CNC}1", "dimension", 4.0, unit="um"),
        said(now, f"{POT}1", "anode_effect", 0.4, low=0.3, high=0.5, unit="", status="act"),
    ]


def fill(server: Running, folder: Path, now: int) -> None:
    """Machine 1 ran half of the last hours; its tool was changed two hours ago, the anode of pot 1 three hours ago."""
    hours = range(8, 0, -1)
    states = [
        (now - n * 60 * MINUTE + half * 30 * MINUTE, name)
        for n in hours
        for half, name in enumerate(("EXECUTE", "IDLE"))
    ]
    server.feed(*(Sample(f"{CNC}1/state", at, name) for at, name in states), kind=Kind.TEXT)
    changed = [(300, 6), (120, 7), (60, 7)]
    server.feed(*(Sample(f"{CNC}1/tool.id", now - m * MINUTE, n) for m, n in changed), kind=Kind.INT)
    pots = [(600, "NORMAL"), (180, "ANODE_CHANGE"), (170, "NORMAL")]
    server.feed(*(Sample(f"{POT}1/state", now - m * MINUTE, name) for m, name in pots), kind=Kind.TEXT)
    registry = server.parts.registry
    for name in CARDS:
        (folder / name).mkdir()
        (folder / name / "manifest.json").write_text(f'{{"name": "{name}"}}')
        registry.begin_with(registry.submit(folder / name, "test"), "*")
    registry.scores.write(
        Prediction(one["model"], 1, "sha", one["asset"], now - MINUTE, True, one["value"], one["low"], one["high"], 1.0)
        for one in predictions(now)
        if one["model"] in CARDS
    )  # fmt: skip


def _card(at: Path) -> Card:
    return next(card for name, card in CARDS.items() if name in (at / "manifest.json").read_text())


@contextmanager
def maintained(folder: Path, now: int | None = None) -> Iterator[Running]:
    """Serve until the block ends what was so at `now` (UTC ns, whole seconds; the time when it is called)."""
    now = now or the_second()
    levels = [{"name": "tool-life", "levels": {"above": None, "below": 15.0}}]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learned, "card", _card)
        with running(
            folder / "data", loads(PLANT, "plant.yaml", {}), brain=FakeBrain(predictions(now), levels)
        ) as server:
            fill(server, folder, now)
            yield server


def the_second() -> int:
    """The second that it is (UTC ns)."""
    return time.time_ns() // S * S


def tell_lives(server: Running) -> None:
    """Eight windows of machine 2 whose truth is known: two tools came to their end, one alarm was false."""
    now, scores = the_second(), server.parts.registry.scores
    rows = [(30, 32), (12, 14), (10, 4), (40, 41), (20, 12), (18, 6), (14, 60), (50, 52)]
    windows = [(n, now - (600 - n) * MINUTE, *pair) for n, pair in enumerate(rows)]
    scores.write(
        Prediction("tool-life", 1, "sha", f"{CNC}2", end, True, float(value), value - 5.0, value + 5.0, 1.0, f"p{n}")
        for n, end, value, _ in windows
    )
    scores.label(Label("tool-life", f"{CNC}2", float(true), float(true), now, f"p{n}") for n, _, _, true in windows)
