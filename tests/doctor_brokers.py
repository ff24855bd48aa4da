"""MQTT brokers for the doctor: mosquitto and NATS, wrong in one way each, and a device that publishes."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from brokers import Broker, mosquitto_broker, nats_broker, running
from doctor_bench import Bench, Producer
from secure_servers import issue


def broker(
    lines: str = "", options: dict[str, Any] | None = None, *, scheme: str = "mqtt", odd: dict[str, Any] | None = None,
    says: tuple[str, bytes] | None = None, retain: bool = False, mapped: bool = False,
) -> Producer:  # fmt: skip
    """A mosquitto with these lines in its configuration; with `odd`, encrypted by such a certificate."""

    @asynccontextmanager
    async def produce(bench: Bench) -> AsyncIterator[None]:
        bench.url, bench.mapped = f"{scheme}://127.0.0.1:{bench.port}", mapped
        made = configured(bench, lines, odd)
        bench.options |= options or {}
        if "password_file" in bench.options:
            bench.options["password_file"] = bench.secret(bench.options["password_file"])
        bench.options = {key: value for key, value in bench.options.items() if value}
        with running(made):
            async with talking(bench.port, says, retain=retain):
                yield

    return produce


def configured(bench: Bench, lines: str, odd: dict[str, Any] | None) -> Broker:
    made = mosquitto_broker(bench.folder, bench.port)
    text = Path(made.command[-1]).read_text()
    if odd is not None:
        root = issue(bench.folder, "root", authority=True)
        own = issue(bench.folder, "broker", issuer=root, **odd)
        text += f"certfile {own.der.with_suffix('.pem')}\nkeyfile {own.pem}\ncafile {root.der.with_suffix('.pem')}\n"
        bench.options["ca_file"] = str(root.der.with_suffix(".pem"))
    if "password_file" in lines:
        make = ["mosquitto_passwd", "-b", "-c", str(bench.folder / "users"), "anna", "geheim-17"]
        subprocess.run(make, check=True, capture_output=True)
        text = text.replace("allow_anonymous true", "")
    Path(made.command[-1]).write_text(text + lines.format(folder=bench.folder))
    return made


@asynccontextmanager
async def talking(port: int, says: tuple[str, bytes] | None, *, retain: bool) -> AsyncIterator[None]:
    """A device that publishes the same message again and again, or once to be kept."""
    from paho.mqtt import client as paho

    if says is None:
        yield
        return
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)
    client.loop_start()
    client.publish(*says, retain=retain, qos=1).wait_for_publish(5)

    async def on() -> None:
        while not retain:
            client.publish(*says)
            await asyncio.sleep(0.1)

    task = asyncio.create_task(on())
    yield
    task.cancel()
    client.disconnect()
    client.loop_stop()


def more(file: Path, lines: str) -> None:
    file.write_text(file.read_text() + lines)


def nats(options: dict[str, Any], lines: str = "") -> Producer:
    @asynccontextmanager
    async def produce(bench: Bench) -> AsyncIterator[None]:
        made = nats_broker(bench.folder, bench.port)
        more(Path(made.command[-1]), lines)
        bench.url, bench.options = made.url, dict(options)
        if "password_file" in options:
            bench.options["password_file"] = bench.secret(options["password_file"])
        with running(made):
            yield

    return produce
