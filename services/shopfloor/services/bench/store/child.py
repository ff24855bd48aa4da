"""The measured process of an embedded store: it takes batches and answers questions over a loopback connection.

A frame is JSON; `append` is followed by a frame with the batch as Arrow IPC. Every connection has a thread of its own,
so that questions can be asked while batches come.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import asdict
from multiprocessing.connection import Connection, Listener
from pathlib import Path
from typing import Any

from shopfloor.services.bench.store.engines import ENGINES, Engine
from shopfloor.services.bench.store.questions import Question
from shopfloor.services.bench.tell import plan, say


def serve(engine: Engine, listener: Listener) -> None:
    """Take connections until the process is ended."""
    while True:
        connection = listener.accept()
        threading.Thread(target=_talk, args=(engine, connection), daemon=True).start()


def _talk(engine: Engine, connection: Connection[Any, Any]) -> None:
    while True:
        try:
            asked = json.loads(connection.recv_bytes())
        except EOFError:
            return
        body = connection.recv_bytes() if asked["do"] == "append" else b""
        connection.send_bytes(json.dumps(_do(engine, asked, body)).encode())


def _do(engine: Engine, asked: dict[str, Any], body: bytes) -> dict[str, Any]:
    try:
        return _act(engine, asked, body)
    except Exception as problem:  # noqa: BLE001 (whatever it is, the bench says it)
        return {"failed": f"{type(problem).__name__}: {problem}"}


def _act(engine: Engine, asked: dict[str, Any], body: bytes) -> dict[str, Any]:
    begun = time.perf_counter()
    if asked["do"] == "append":
        engine.append(body)
        return {"ms": (time.perf_counter() - begun) * 1e3}
    if asked["do"] == "ask":
        return _answer(engine, Question(**asked["question"]))
    if asked["do"] == "settle":
        engine.settle(asked["force"])
    else:
        engine.close()
    return {}


def _answer(engine: Engine, question: Question) -> dict[str, Any]:
    cpu, wall = time.process_time_ns(), time.perf_counter_ns()
    counted = engine.ask(question)
    wall, cpu = time.perf_counter_ns() - wall, time.process_time_ns() - cpu
    return {"cpu_ms": cpu / 1e6, "wall_ms": wall / 1e6, **asdict(counted())}


def main() -> None:
    """Open the store that the bench asked for, and serve it."""
    asked = plan()
    begun = time.perf_counter()
    engine = ENGINES[asked["store"]](Path(asked["folder"]))
    opened = time.perf_counter() - begun
    with Listener(("127.0.0.1", 0)) as listener:
        say("ready", {"port": listener.address[1], "open_s": round(opened, 3)})
        serve(engine, listener)


if __name__ == "__main__":
    main()
