"""What the gateway of the mock plant answers to the calls of the connections page, line by line."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from shopfloor.gateway.picking import entry
from shopfloor.plant import ShopfloorError

Part = dict[str, Any]
PLC, SEALED, NOBODY = "opc.tcp://plc.example:4840", "opc.tcp://sealed.example:4840", "opc.tcp://nobody.example:4840"
BROKER = "mqtt://broker.example:1883"
PRINT = "3f2a9c0d5e6b71844a1f0c9d8e7b6a5f4c3d2e10"
PARTS = ("Spindle", "Axis-X", "Axis-Y", "Axis-Z", "Coolant", "Hydraulics", "Door", "Program")
DAY_MS = 86_400_000
STEPS = (
    ("address", "The address is complete."),
    ("name", "plc.example is 192.168.10.5."),
    ("port", "Port 4840 is open."),
    ("protocol", "An OPC UA server answers."),
    ("endpoints", "It offers 3 endpoints."),
    ("security", "It offers Basic256Sha256 with SignAndEncrypt."),
    ("server certificate", "Its certificate is trusted."),
    ("own certificate", "It trusts this gateway."),
    ("session", "A session is open."),
    ("browse", "Its address space can be browsed."),
)
WRITTEN = """\
sources:
  - name: press
    kind: opcua
    url: opc.tcp://plc.example:4840
    security: none
    publishing_interval: 250ms
    nodes:
      - {node: ns=2;s=CNC-01.Spindle.0, tag: delta/frames/machining/cell-a/cnc-01/spindle.power}
      - {node: ns=2;s=gone, tag: delta/frames/machining/cell-a/cnc-01/gone}
"""


class Calls:
    """The gateway behind the mock server: `sources` by name, `trusted` certificates, what was asked."""

    def __init__(self) -> None:
        self.sources = {"press": WRITTEN}
        self.state = "waiting"
        self.size = 20
        self.asked: list[tuple[str, Part]] = []

    async def lines(self, kind: str, body: Part) -> AsyncIterator[bytes]:
        """The answer as a gateway's server streams it."""
        self.asked.append((kind, body))
        try:
            async for part in getattr(self, kind)(body):
                yield json.dumps(part).encode() + b"\n"
                await asyncio.sleep(0)
        except ShopfloorError as problem:
            yield json.dumps({"error": str(problem)}).encode() + b"\n"
        else:
            yield b'{"done": true}\n'

    async def examine(self, body: Part) -> AsyncIterator[Part]:
        url = body.get("url", PLC)
        for step, why in STEPS:
            await asyncio.sleep(0.02)
            finding = {"step": step, "state": "ok", "sentence": why, "fix": "", "cause": ""}
            if url == NOBODY and step == "port":
                finding |= {
                    "state": "failed",
                    "sentence": "Nothing listens on port 4840 of nobody.example.",
                    "fix": "Start the server, or correct the port.",
                    "cause": "port-refused",
                }
            if url == SEALED and step == "server certificate" and self.state != "trusted":
                finding |= {
                    "state": "failed",
                    "sentence": "The server's certificate is not trusted yet.",
                    "fix": "Compare its fingerprint and approve it.",
                    "cause": "certificate-waiting",
                }
            yield {"finding": finding}
            if finding["state"] == "failed":
                return

    async def browse(self, body: Part) -> AsyncIterator[Part]:
        if body["url"] == BROKER:
            yield {"nodes": [topic(line, name) for line in (1, 2) for name in ("flow", "pressure", "temperature")]}
            return
        rows = [node("ns=2;s=Machines", "", ("Machines",), "object")]
        for n in range(1, self.size + 1):
            rows += machine(n)
        for start in range(0, len(rows), 500):
            yield {"nodes": rows[start : start + 500]}

    async def values(self, body: Part) -> AsyncIterator[Part]:
        for _ in range(60):
            now = time.time()
            yield {"values": [reading(one, now) for one in body["nodes"]]}
            await asyncio.sleep(0.5)

    async def entry(self, body: Part) -> AsyncIterator[Part]:
        async for part in entry(body, Path()):
            yield part

    async def check(self, body: Part) -> AsyncIterator[Part]:
        name = body["text"].split("name: ")[1].split("\n")[0]
        if name == "potline":
            yield {"problems": ["The source 'potline' stands in plant.yaml: change it there, or use another name."]}
            return
        known = name in self.sources
        yield {"ok": True, "name": name, "adds": not known, "changes": known, "removes": 0, "keeps": 2, "tags": []}

    async def save(self, body: Part) -> AsyncIterator[Part]:
        self.sources[body["name"]] = body["text"]
        yield {"saved": True, "text": body["text"]}

    async def remove(self, body: Part) -> AsyncIterator[Part]:
        self.sources.pop(body["name"])
        yield {"removed": True}

    async def connections(self, body: Part) -> AsyncIterator[Part]:
        made = [
            {"name": name, "kind": "opcua", "origin": "page", "text": text, "editable": True}
            for name, text in self.sources.items()
        ]
        text = WRITTEN.replace("press", "machining")
        file = {"name": "machining", "kind": "opcua", "origin": "plant file", "text": text, "editable": False}
        yield {"connections": [file, *made]}

    async def certificates(self, body: Part) -> AsyncIterator[Part]:
        now = time.time() * 1e3
        yield {
            "certificates": [
                certificate(
                    "CN=Shopfloor gateway edge-1", "own", "", (now - 40 * DAY_MS, now + 700 * DAY_MS), "0a" * 20
                ),
                certificate("CN=PLC hall 3, O=Example", self.state, SEALED, (now - DAY_MS, now + 3000 * DAY_MS), PRINT),
                certificate("CN=Press", "trusted", PLC, (now - 700 * DAY_MS, now + 12 * DAY_MS), "5c" * 20),
                certificate("CN=Old press", "rejected", PLC, (now - 900 * DAY_MS, now - 12 * DAY_MS), "7d" * 20),
            ]
        }

    async def approve(self, body: Part) -> AsyncIterator[Part]:
        self.state = "trusted"
        yield {"approved": body["thumbprint"]}

    async def reject(self, body: Part) -> AsyncIterator[Part]:
        self.state = "rejected"
        yield {"rejected": body["thumbprint"]}


def certificate(subject: str, state: str, url: str, valid: tuple[float, float], thumbprint: str) -> Part:
    return {
        "thumbprint": thumbprint,
        "subject": subject,
        "application_uri": f"urn:{subject[3:7].strip().lower()}:example",
        "not_before": valid[0],
        "not_after": valid[1],
        "state": state,
        "url": url,
        "first_seen": valid[0] + 1,
    }


def machine(n: int) -> list[Part]:
    """One machine with 8 parts of 30 variables, a property and a method."""
    name = f"CNC-{n:02d}"
    rows = [node(f"ns=2;s={name}", "ns=2;s=Machines", ("Machines", name), "object")]
    for part in PARTS:
        parent = f"ns=2;s={name}.{part}"
        rows.append(node(parent, f"ns=2;s={name}", ("Machines", name, part), "object"))
        for i in range(30):
            leaf = ("Power", "Speed", "Load", "State")[i] if i < 4 else f"Signal {i:02d}"
            path = ("Machines", name, part, leaf)
            rows.append(
                node(f"{parent}.{i}", parent, path, "variable", "String" if i == 3 else "Double", writable=i == 1)
            )
    rows.append(
        node(
            f"ns=2;s={name}.Serial",
            f"ns=2;s={name}",
            ("Machines", name, "SerialNumber"),
            "variable",
            "String",
            property=True,
        )
    )
    rows.append(node(f"ns=2;s={name}.Reset", f"ns=2;s={name}", ("Machines", name, "Reset"), "method"))
    return rows


def node(id_: str, parent: str, path: tuple[str, ...], kind: str, type_: str = "", **more: bool) -> Part:
    return {
        "id": id_, "parent": parent, "name": path[-1], "path": path, "kind": kind, "type": type_,
        "children": kind == "object", "writable": False, "property": False,
    } | more  # fmt: skip


def topic(line: int, name: str) -> Part:
    path = ("hall", f"pump-{line}", name)
    row = node("/".join(path), "", path, "variable", "Object")
    return row | {"form": {"value": "v", "time": "ts"}, "value": '{"v": 1.5, "ts": 1764000000}'}


def reading(id_: str, now: float) -> Part:
    bad = id_.endswith(".2")
    value = "EXECUTE" if id_.endswith(".3") else 12.5 + math.sin(now / 3 + len(id_))
    return {
        "id": id_,
        "value": value,
        "quality": 0x808C0000 if bad else 0,
        "quality_name": "BadSensorFailure" if bad else "Good",
        "time": now * 1e3 - (400_000 if bad else 150),
    }
