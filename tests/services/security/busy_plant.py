"""A server with people, a gateway that answers, and something to do for everybody: alarms, stops, orders, models."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from running_server import CNC, FakeBrain, Running, S, plant, running, until
from shopfloor.plant import Kind, Sample
from shopfloor.services import learned
from shopfloor.services.security.passwords import Cost
from shopfloor.services.security.rights import Role
from small_registry import bundle, card

PHRASE = "correct horse battery"
OTHER = CNC.replace("01", "02")
PLANT = """
plant: {site: delta}
server: {two_persons: true}
types:
  machine-tool:
    title: Machine tool
    tags:
      state: {kind: text, states: [EXECUTE, HELD]}
      parts: {kind: int64}
      power: {limits: [{high: 5, advice: Look., latch: true}]}
    production:
      state: state
      states: {EXECUTE: running, HELD: down}
      minor_stop: 20s
      count: parts
      ideal_cycle: 30s
      reasons: {Tool: [Broken]}
      scrap_reasons: [Surface]
assets:
  - {path: "delta/frames/machining/cell-a/cnc-[01..02]", type: machine-tool, title: "CNC [01..02]"}
"""
MODEL = {"name": "life", "target": "tool_life", "title": "Tool life", "state": "ready", "trained_at": 1.0,
         "cpu_s": 2.0, "rows": 100, "split": "By machine.", "coverage": {"nominal": 0.9, "measured": 0.91},
         "metrics": []}  # fmt: skip
PEOPLE = {"anna": Role.ADMIN, "ben": Role.VIEWER, "olga": Role.OPERATOR, "emil": Role.ENGINEER, "otto": Role.ENGINEER,
          "dora": Role.DATA_SCIENTIST}  # fmt: skip
GATEWAY = "edge-1-00c0ffee"


@contextmanager
def busy(folder: Path) -> Iterator[Running]:
    """The server; its gateway answers until the block ends."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(learned, "card", card)
        with running(folder / "data", plant(PLANT), host="0.0.0.0", brain=FakeBrain(cards=[MODEL])) as server:
            accounts = server.parts.doors.accounts
            accounts._cost = Cost(n=16, r=1, p=1)
            for name, role in PEOPLE.items():
                accounts.create(name, PHRASE, role)
            fill(server, folder)
            yield server


def fill(server: Running, folder: Path) -> None:
    now = time.time_ns() // S * S
    for asset in (CNC, OTHER):
        states = [(-900, "EXECUTE"), (-700, "HELD"), (-500, "EXECUTE"), (-400, "HELD"), (-300, "EXECUTE")]
        server.feed(Sample(f"{asset}/power", now, 6.0), kind=Kind.FLOAT)
        server.feed(*(Sample(f"{asset}/state", now + at * S, state) for at, state in states), kind=Kind.TEXT)
    server.post_health(GATEWAY)
    registry = server.parts.registry
    one, *_ = (registry.submit(bundle(folder, seed), "dora") for seed in (1, 2, 3))
    registry.begin_with(one, "*")
    registry.shadow("life", 2, "*", "dora", "It waits.", propose=True)
    until(lambda: len(server.parts.alarms.open()) == 2 and len(server.parts.production.store.stops(0, now)) == 4)


@contextmanager
def answering(server: Running) -> Iterator[None]:
    """A gateway that does whatever it is asked, and says what was there before and after."""
    over = threading.Event()
    desk = f"/api/v1/gateways/{GATEWAY}/errands"

    def work() -> None:
        headers = {"Authorization": f"Bearer {server.token}"}
        with httpx.Client(base_url=server.url, headers=headers, timeout=10, trust_env=False) as link:
            while not over.is_set():
                for errand in link.post(desk, json={"wait_s": 0.2}).json()["errands"]:
                    said = {"before": 1.0, "after": 2.0, "tag": "", "asked": 2.0, "status": 0, "status_name": "Good",
                            "sentence": "Done."}  # fmt: skip
                    link.post(f"{desk}/{errand['id']}", json={"parts": [said], "end": {"done": True}})

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(5)


@contextmanager
def signed_in(server: Running, name: str) -> Iterator[httpx.Client]:
    """A browser in which somebody has signed in."""
    with httpx.Client(base_url=f"{server.url}/api/v1", trust_env=False, timeout=10) as browser:
        assert browser.post("/login", json={"name": name, "password": PHRASE}).is_success
        browser.headers["X-CSRF-Token"] = browser.cookies["shopfloor_csrf"]
        yield browser


def step(number: int | None = None, **more: Any) -> dict[str, Any]:
    """The body of a step in the life of a model."""
    return {"scope": "*", "by": "", "why": "A test.", **({} if number is None else {"number": number}), **more}
