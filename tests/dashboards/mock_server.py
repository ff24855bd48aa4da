"""A server that speaks the API of Shopfloor over invented, moving data: test equipment for the pages.

python tests/dashboards/mock_server.py --port 8123
"""

from __future__ import annotations

import argparse
import json
import socket
from pathlib import Path
from typing import Any

import mock_alarms
import mock_answers as answers
import mock_maintenance
import mock_models as models_of
import mock_quality
import mock_signals
import numpy as np
import uvicorn
from mock_calls import Calls
from mock_live import Live, now_ms
from mock_signals import BAD, history, plant, signal, state_of
from shopfloor.plant.arrow import without_pandas
from shopfloor.services.api.wire import answer
from shopfloor.services.security.rights import Right
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute

LOT = "L-099746"
ADMINS = {Right.ACCOUNTS, Right.SESSIONS, Right.TOKENS, Right.AUDIT}
RIGHTS = [right.value for right in Right if right not in ADMINS]
BAD_TAG = "cnc-03/coolant.flow"


class Mock:
    """The state of the mock: what the tests switch, and what the pages asked."""

    def __init__(self, static: Path) -> None:
        self.static = static
        self.plant = plant()
        self.start = now_ms()
        self.alarms = answers.alarms(self.plant, self.start)
        self.journal = [mock_alarms.row(a, a["since"], "normal", "active") for a in self.alarms]
        mock_alarms.act(self.alarms[-1], "out-of-service", {"by": "Eva", "reason": "Sensor is broken."}, self.start)
        self.flood = False
        self.asked: list[str] = []
        self.silent = self.broken = False
        self.busy: float | None = None
        self.fixed: float | None = None
        self.worth = 0
        self.live = Live(self)
        self.calls = Calls()
        self.empty = self.hold = False
        self.job: dict[str, Any] = {}
        self.charts = mock_quality.charts()
        self.charted = True

    def numeric(self, path: str) -> bool:
        return path in self.plant.rates

    def value(self, path: str, ms: float) -> float | str | None:
        tag = self.plant.tags[path]
        if tag["kind"] == "text":
            return state_of(path.split("/")[-2], ms) if tag["name"] == "state" else LOT
        return float(signal(tag, np.array([ms]))[0]) if self.fixed is None else self.fixed

    # --- HTTP -----------------------------------------------------------------------------------------------------

    async def api(self, request: Request) -> Response:
        name = request.path_params["name"]
        self.asked.append(f"{name}?{request.url.query}")
        if self.broken:
            return JSONResponse({"detail": "The store is being repaired."}, 503)
        handler = {
            "health": lambda: answers.health(self.plant, now_ms(), self.start, self.busy),
            "assets": lambda: self.plant.assets,
            "me": lambda: {"name": "local", "role": "admin", "way": "local", "rights": RIGHTS},
            "predictions": lambda: answers.predictions(self.plant, now_ms()),
            "maintenance": self.maintenance,
            "work-orders": self.work_orders,
            "marks": list,
            "reports": lambda: {"schedule": [], "reports": []},
            "models": lambda: [] if self.empty else answers.models(now_ms()),
            "registry": lambda: [] if self.empty else models_of.registry(now_ms()),
            "ledger": lambda: answers.ledger(now_ms(), self.start),
            "alarms": lambda: self.list_alarms(request),
            "latest": lambda: self.latest(request),
            "history": lambda: self.history(request),
        }.get(name)
        return JSONResponse(handler()) if handler else JSONResponse({"detail": f"There is no {name}."}, 404)

    def maintenance(self) -> dict[str, Any]:
        return mock_maintenance.told(self.plant.assets, answers.predictions(self.plant, now_ms()), now_ms())

    def work_orders(self) -> list[dict[str, Any]]:
        titles = {asset["path"]: asset["title"] for asset in self.plant.assets}
        return mock_maintenance.orders(answers.predictions(self.plant, now_ms()), titles, now_ms())

    async def record(self, _: Request) -> Response:
        return JSONResponse(mock_maintenance.record(self.plant.assets, now_ms()))

    async def course(self, request: Request) -> Response:
        """What a prediction was in the last hours."""
        start, end = (float(request.query_params[name]) for name in ("start", "end"))
        return JSONResponse(mock_maintenance.course(start, end))

    def list_alarms(self, request: Request) -> list[dict[str, Any]]:
        state, asset = request.query_params.get("state", "open"), request.query_params.get("asset")
        here = [a for a in self.alarms if not asset or a["asset"] == asset]
        if state == "aside":
            return [a for a in here if a.get("aside")]
        return [a for a in here if state == "all" or (a["state"] != "closed" and not a.get("aside"))]

    async def of_alarms(self, request: Request) -> Response:
        """The load, the design or the journal."""
        name, asked = request.path_params["name"], dict(request.query_params)
        self.asked.append(f"alarms/{name}?{request.url.query}")
        if name == "load":
            return JSONResponse(mock_alarms.load(self.alarms, now_ms(), flood=self.flood))
        if name == "designed":
            return JSONResponse(mock_alarms.designed(self.plant.assets, self.alarms))
        return JSONResponse(mock_alarms.journal(self.journal, asked))

    async def set_aside(self, request: Request) -> Response:
        """Shelve, take out of service, and back."""
        body = await request.json()
        number = request.path_params["id"]
        if number == "designed":
            self.alarms.append(mock_alarms.foreseen(self.alarms, body["key"]))
            number = self.alarms[-1]["id"]
        alarm = next(a for a in self.alarms if a["id"] == number)
        if body.get("minutes", 0) > 720:
            return JSONResponse({"detail": "That is too long."}, 422)
        self.journal.append(mock_alarms.act(alarm, request.path_params["action"], body, now_ms()))
        await self.live.tell_alarms()
        return JSONResponse(alarm)

    def latest(self, request: Request) -> list[dict[str, Any]]:
        wanted = request.query_params.getlist("tag") or list(self.plant.tags)
        ms = now_ms() // 200 * 200
        return [
            {"tag": path, "time": ms, "value": self.value(path, ms), "quality": self.quality(path), "severity": "good"}
            for path in wanted
            if path in self.plant.tags
        ]

    def quality(self, path: str) -> int:
        return BAD if path.endswith(BAD_TAG) else self.worth

    def history(self, request: Request) -> dict[str, Any]:
        q = request.query_params
        path, start, end = q["tag"], float(q["start"]), min(float(q["end"]), now_ms())
        return history(self.plant.tags[path], start, end, int(q.get("points", 100_000)))

    async def shifts(self, request: Request) -> Response:
        """Two shifts of twelve hours, as summaries of one tag tell them."""
        body = await request.json()
        self.asked.append(f"aggregate {json.dumps(body, sort_keys=True)}")
        time, names = mock_signals.shifts(body["start"], body["end"])
        return JSONResponse({"time": time, "end": [start + 43_200_000 for start in time], "shift": names})

    async def best(self, request: Request) -> Response:
        """Half an hour of a program, and the best hour of it a day before."""
        at = float(request.query_params["at"]) // 1_800_000 * 1_800_000
        now = {"name": "P-12", "start": at, "end": at + 1_800_000}
        best = now | {"start": at - 86_400_000, "end": at - 82_800_000, "oee": 0.81, "scrap_ratio": 0.0, "made": 60}
        told = {"basis": "item", "item": "P-12", "by": "oee", "runs": 7, "now": now, "best": best}
        return JSONResponse(told | {"asset": request.query_params["asset"]})

    async def control_charts(self, request: Request) -> Response:
        """The charts, or one of them; none where a test wants a plant without."""
        self.asked.append(f"quality?{request.url.query}")
        name, q = request.path_params.get("chart"), request.query_params
        if name is None:
            return answer(mock_quality.listed(self.charts) if self.charted else [])
        found = mock_quality.one(self.charts, name, q["asset"], float(q["start"]), float(q["end"]))
        return answer(found) if found else JSONResponse({"detail": f"There is no chart {name!r}."}, 404)

    async def life(self, request: Request) -> Response:
        """What is known of a model; a promotion is refused unless it is forced."""
        model, action = request.path_params["model"], request.path_params["action"]
        if model == "replays":
            return JSONResponse(self.replay(action))
        if request.method == "GET":
            asked = {key: int(value) for key, value in request.query_params.items() if key == "number"}
            return JSONResponse(models_of.ANSWERS[action](now_ms(), **asked))
        body = await request.json()
        self.asked.append(f"{action} {model} {json.dumps(body, sort_keys=True)}")
        if action in {"promote", "rollout"} and not body["override"]:
            return JSONResponse({"detail": models_of.REFUSED}, 422)
        if action == "replay":
            self.job = models_of.job(model, body["number"])
            return JSONResponse(self.job)
        return JSONResponse({"sequence": 10})

    def replay(self, number: str) -> Any:
        """The replay that goes on: each question brings it on, until it waits for the test."""
        if number in {"", "cancel"}:
            return [self.job] if self.job else []
        self.job = models_of.further(self.job, hold=self.hold)
        return self.job

    async def cancel_replay(self, _: Request) -> Response:
        self.job = self.job | {"state": "cancelled", "sentence": "The replay was cancelled."}
        return JSONResponse(self.job)

    async def acknowledge(self, request: Request) -> Response:
        body = await request.json()
        for alarm in self.alarms:
            if alarm["id"] == request.path_params["id"]:
                alarm |= {
                    "state": "acknowledged",
                    "acknowledged": {"by": body["by"], "note": body["note"], "time": now_ms()},
                }
                row = mock_alarms.row(alarm, now_ms(), "active", "acknowledged", body["by"], body["note"])
                self.journal.append(row)
                await self.live.tell_alarms()
                return JSONResponse(alarm)
        return JSONResponse({"detail": "There is no such alarm."}, 404)

    async def call(self, request: Request) -> Response:
        lines = self.calls.lines(request.path_params["kind"], await request.json())
        return StreamingResponse(lines, media_type="application/x-ndjson")

    async def control(self, request: Request) -> Response:
        """Switches for the tests: silent, busy, drop; answers what was asked so far."""
        for key, value in (await request.json()).items():
            if key == "drop":
                for socket_ in list(self.live.sockets):
                    await socket_.close()
            elif key == "forget":
                self.asked.clear()
                self.calls, self.job, self.empty, self.hold = Calls(), {}, False, False
            elif key == "nodes":
                self.calls.size = value
            else:
                setattr(self, key, value)
        called = {"calls": self.calls.asked, "sources": self.calls.sources}
        return JSONResponse({"asked": self.asked, "subscriptions": self.live.subscriptions, **called})

    async def page(self, request: Request) -> Response:
        asked = self.static / request.path_params["path"]
        return FileResponse(asked if asked.is_file() else self.static / "index.html")

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                WebSocketRoute("/api/v1/live", self.live.serve),
                Route("/api/v1/gateways/{gateway}/calls/{kind}", self.call, methods=["POST"]),
                Route("/api/v1/alarms/{id}/acknowledge", self.acknowledge, methods=["POST"]),
                Route("/api/v1/alarms/{id}/{action}", self.set_aside, methods=["POST"]),
                Route("/api/v1/alarms/{name}", self.of_alarms),
                Route("/api/v1/registry/replays/{number}/cancel", self.cancel_replay, methods=["POST"]),
                Route("/api/v1/registry/replays", lambda _: JSONResponse(self.replay(""))),
                Route("/api/v1/registry/{model}/{action}", self.life, methods=["GET", "POST"]),
                Route("/api/v1/maintenance/record", self.record),
                Route("/api/v1/predictions/history", self.course),
                Route("/api/v1/production/best", self.best),
                Route("/api/v1/aggregate", self.shifts, methods=["POST"]),
                Route("/api/v1/quality", self.control_charts),
                Route("/api/v1/quality/{chart}", self.control_charts),
                Route("/api/v1/{name}", self.api),
                Route("/mock", self.control, methods=["POST"]),
                Route("/{path:path}", self.page),
            ]
        )


def server(static: Path, port: int = 0) -> tuple[uvicorn.Server, socket.socket]:
    """A uvicorn server and its bound socket; port 0 takes a free one."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    listening.listen()
    config = uvicorn.Config(
        Mock(static).app(), log_level="warning", ws="websockets-sansio", timeout_graceful_shutdown=1
    )
    return uvicorn.Server(config), listening


if __name__ == "__main__":
    without_pandas()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8123)
    parser.add_argument(
        "--static", type=Path, default=Path(__file__).parents[2] / "dashboards/shopfloor/dashboards/static"
    )
    given = parser.parse_args()
    mock, bound = server(given.static, given.port)
    print("ready", json.dumps({"url": "http://{}:{}".format(*bound.getsockname())}), flush=True)  # noqa: T201
    mock.run(sockets=[bound])
