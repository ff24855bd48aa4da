# ruff: noqa: T201, ASYNC110 (a program for people)
"""JSON over MQTT, one value a message, from the socket into the spool: CPU of the client process per message.

    python tests/bench/mqtt_ingest.py --messages 40000 --rounds 3

Peers, each in a process of its own, one after the other in every round, on a fresh broker: `ours` (the MQTT source,
its mapping, the spool), `paho` (a program as one would write it: a callback, json.loads, for QoS 1 an acknowledgement
of its own), `gmqtt` (the same with gmqtt, if somebody has installed it; it acknowledges QoS 1 by itself, before
anything is safe). The peers keep the newest value of each tag in a dict and write nothing to disk.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from brokers import mosquitto_broker, nats_broker, running
from shopfloor.gateway.mqtt import wire

TOPICS = 100
ASSET = "delta/bench/line/cell/machine"


def publish(url: str, messages: int, qos: int, known: threading.Semaphore) -> None:
    """Publish as fast as the reader keeps up: each message waits for a place among those that it has not counted."""
    host, port = url.removeprefix("mqtt://").split(":")
    with socket.create_connection((host, int(port))) as link:
        link.sendall(wire.connect(wire.Hello("bench-publisher", 0), wire.V311))
        link.recv(4)
        threading.Thread(target=_drain, args=(link,), daemon=True).start()
        for start in range(0, messages, 200):
            for _ in range(200):
                known.acquire()
            chunk = []
            for n in range(start, min(start + 200, messages)):
                body = json.dumps({"v": n + 0.5, "t": 1_700_000_000_000 + n}).encode()
                chunk.append(wire.publish(f"b/t{n % TOPICS}", body, n % 65_535 + 1 if qos else 0, wire.V311))
            link.sendall(b"".join(chunk))
        time.sleep(0.2)


def _drain(link: socket.socket) -> None:
    try:
        while link.recv(65_536):
            pass
    except OSError:
        pass


class Count:
    """Counts messages, a fifth of which warm it up, says on stdout how far it is, and what CPU the others took."""

    def __init__(self, messages: int) -> None:
        warm_up = messages // 4
        self.left, self.messages, self.cpu, self.begun = messages + warm_up, messages, 0, 0.0
        self.all = self.left

    def ready(self) -> None:
        print("ready", flush=True)

    def add(self, n: int) -> bool:
        """Count; answers whether all have come."""
        before, self.left = self.left, self.left - n
        if not self.begun and self.left <= self.messages:
            self.begun, self.cpu = time.monotonic(), time.process_time_ns()
            self.counted = self.left
        if before // 500 != self.left // 500:
            print(f"at {self.all - self.left}", flush=True)
        return self.left <= 0

    def result(self) -> None:
        cpu, wall = time.process_time_ns() - self.cpu, time.monotonic() - self.begun
        told = {"us": cpu / 1e3 / self.counted, "per_s": self.counted / wall, "surplus": -self.left}
        print(f"result {json.dumps(told)}", flush=True)


async def ours(url: str, messages: int, qos: int) -> None:
    """The gateway's own path: source, pipeline, spool."""
    from shopfloor.gateway.conform import Conform
    from shopfloor.gateway.mqtt import CONNECTOR, MqttOptions
    from shopfloor.gateway.pipeline import Feed
    from shopfloor.gateway.spool import Committer, Spool
    from shopfloor.gateway.state import SourceState

    topic = {"topic": "b/{tag}", "value": "v", "time": "t", "tag": f"{ASSET}/{{tag}}"}
    options = MqttOptions.model_validate({"url": url, "qos": qos, "topics": [topic]})
    count, plant, over = Count(messages), _Plant(), asyncio.Event()
    with tempfile.TemporaryDirectory() as folder, Spool.open(Path(folder), "bench") as spool:
        committer = Committer(spool)
        source = CONNECTOR.build(f"bench{qos}", options, plant, Path(folder))
        feed = Feed(source, SourceState("bench"), committer, Conform(plant))
        feed.taps = [lambda batch: over.set() if count.add(len(batch)) else None]
        async with committer.running():
            task = asyncio.create_task(feed.run())
            while feed.state.state != "connected":
                await asyncio.sleep(0.01)
            count.ready()
            await over.wait()
            count.result()
            assert spool.tally.of("bench").accepted >= messages
            task.cancel()


class _Plant:
    assets = ()

    def tag(self, path: str) -> None:
        return None


def paho(url: str, messages: int, qos: int) -> None:
    """What a person would write."""
    import paho.mqtt.client as mqtt

    host, port = url.removeprefix("mqtt://").split(":")
    count, newest, over = Count(messages), dict[str, Any](), threading.Event()
    client = mqtt.Client(
        mqtt.CallbackAPIVersion.VERSION2, client_id=f"paho{qos}", clean_session=False, manual_ack=bool(qos)
    )

    def on_message(client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        body = json.loads(message.payload)
        newest[message.topic] = (body["t"], float(body["v"]))
        if qos:
            client.ack(message.mid, message.qos)
        if count.add(1):
            over.set()

    client.on_message = on_message
    client.on_subscribe = lambda *_: count.ready()
    client.connect(host, int(port))
    client.subscribe("b/+", qos)
    client.loop_start()
    over.wait()
    count.result()
    client.disconnect()
    client.loop_stop()


async def gmqtt(url: str, messages: int, qos: int) -> None:
    """The same with gmqtt."""
    import gmqtt as library

    host, port = url.removeprefix("mqtt://").split(":")
    count, newest, over = Count(messages), dict[str, Any](), asyncio.Event()
    client = library.Client(f"gmqtt{qos}", clean_session=False)

    def on_message(_client: Any, topic: str, payload: bytes, _qos: int, _properties: Any) -> int:
        body = json.loads(payload)
        newest[topic] = (body["t"], float(body["v"]))
        if count.add(1):
            over.set()
        return 0

    client.on_message = on_message
    client.on_subscribe = lambda *_: count.ready()
    await client.connect(host, int(port), version=4)
    client.subscribe("b/+", qos)
    await over.wait()
    count.result()
    await client.disconnect()


MODULES = {"paho": "paho", "gmqtt": "gmqtt"}
PEERS = {"ours": ours, "paho": paho, "gmqtt": gmqtt}


def measure(peer: str, url: str, messages: int, qos: int) -> dict[str, float]:
    """Run one peer in a process of its own."""
    command = [sys.executable, __file__, "--peer", peer, "--url", url, "--messages", str(messages), "--qos", str(qos)]
    ahead = threading.Semaphore(4_000)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        seen, sender = 0, None
        for line in child.stdout:
            if line.startswith("ready"):
                sender = threading.Thread(target=publish, args=(url, messages + messages // 4, qos, ahead), daemon=True)
                sender.start()
            elif line.startswith("at "):
                now = int(line.split()[1])
                ahead.release(now - seen) if now > seen else None
                seen = now
            elif line.startswith("result "):
                return dict(json.loads(line.removeprefix("result ")))
    raise SystemExit(f"{peer} ended without a result")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=40_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peer", choices=PEERS)
    parser.add_argument("--peers", default="ours,paho,gmqtt")
    parser.add_argument("--url")
    parser.add_argument("--qos", type=int, default=0)
    args = parser.parse_args()
    if args.peer:
        made = PEERS[args.peer](args.url, args.messages, args.qos)
        if made is not None:
            asyncio.run(made)
        return
    peers = [peer for peer in args.peers.split(",") if peer == "ours" or find_spec(MODULES[peer])]
    for peer in set(args.peers.split(",")) - set(peers):
        print(f"{peer}: not installed")
    rows: dict[tuple[str, int, str], list[dict[str, float]]] = {}
    for _ in range(args.rounds):
        for name, make in (("mosquitto", mosquitto_broker), ("nats", nats_broker)):
            for qos in (0, 1):
                for peer in peers:
                    with tempfile.TemporaryDirectory() as folder, running(make(Path(folder))) as broker:
                        found = measure(peer, broker.url, args.messages, qos)
                    rows.setdefault((name, qos, peer), []).append(found)
                    print(f"{name:10} QoS {qos} {peer:6} {found['us']:7.1f} us", file=sys.stderr, flush=True)
    print(f"load average {os.getloadavg()[0]:.1f}; {args.messages} messages, medians of {args.rounds} rounds")
    for (name, qos, peer), all_rounds in rows.items():
        us = statistics.median(row["us"] for row in all_rounds)
        own = statistics.median(row["us"] for row in rows[name, qos, "ours"])
        rate = statistics.median(row["per_s"] for row in all_rounds)
        print(f"{name:10} QoS {qos} {peer:6} {us:7.1f} us CPU/message  {us / own:5.1f} x ours  {rate:9,.0f} messages/s")


if __name__ == "__main__":
    main()
