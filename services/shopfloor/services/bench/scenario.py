"""What is measured: a load, and who takes it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from shopfloor.plant import ShopfloorError


@dataclass(frozen=True, slots=True)
class Scenario:
    """One load and its clients; `bar` says what ours is held to."""

    name: str
    title: str
    protocol: str
    clients: tuple[str, ...]
    server: str
    items: int
    hz: float
    publish_ms: int = 200
    queue: int = 100
    mixed: bool = False
    encrypted: bool = False
    qos: int = 0
    seconds: float = 5.0
    bar: str = ""

    @property
    def rate(self) -> float:
        """Values per second."""
        return self.items * self.hz

    def facts(self) -> dict[str, Any]:
        """The columns that describe it."""
        return {
            "scenario": self.name, "protocol": self.protocol, "server": self.server, "items": self.items,
            "hz": self.hz, "publish_ms": self.publish_ms, "qos": self.qos,
        }  # fmt: skip


_ALL: Final = ("ours", "node-opcua", "o6", "asyncua iterator", "asyncua handler", "thingsboard-gateway")
_BULK_BAR: Final = (
    "1.5 M values per CPU-second; 25 x asyncua iterator, 5 x node-opcua, 10 x thingsboard-gateway; no gap"
)

SCENARIOS: Final = (
    Scenario("bulk", "OPC UA in bulk: 2,000 items at 100 Hz", "opcua", _ALL, "columnar", 2_000, 100, bar=_BULK_BAR),
    Scenario(
        "plain", "OPC UA: 1,000 items at 10 Hz", "opcua", _ALL, "columnar", 1_000, 10,
        bar="0.6 M values per CPU-second",
    ),
    Scenario(
        "large", "OPC UA, many items: 10,000 at 20 Hz", "opcua", ("ours", "node-opcua"), "columnar", 10_000, 20,
        bar="no gap",
    ),
    Scenario(
        "mixed", "OPC UA, Double, Int32, Boolean and String: 2,000 items at 20 Hz", "opcua",
        ("ours", "node-opcua", "asyncua iterator"), "columnar", 2_000, 20, mixed=True, bar="measured; no gap",
    ),
    Scenario(
        "encrypted", "OPC UA, Basic256Sha256, sign and encrypt: 2,000 items at 20 Hz", "opcua",
        ("ours", "node-opcua", "asyncua iterator"), "columnar", 2_000, 20, encrypted=True, bar="measured; no gap",
    ),
    Scenario(
        "foreign", "OPC UA against node-opcua's server: 1,000 items at 5 Hz", "opcua",
        ("ours", "node-opcua", "asyncua iterator"), "node-opcua", 1_000, 5, bar="no gap",
    ),
    Scenario(
        "subscribe", "Subscribing to 10,000 nodes", "opcua", ("ours", "node-opcua"), "columnar", 10_000, 1,
        publish_ms=500, bar="20 s",
    ),
    Scenario(
        "subscribe-foreign", "Subscribing to 10,000 nodes of node-opcua's server", "opcua", ("ours", "node-opcua"),
        "node-opcua", 10_000, 0.2, publish_ms=500, bar="20 s",
    ),
    Scenario(
        "mqtt", "MQTT, JSON, one value per message, QoS 0, mosquitto", "mqtt", ("ours", "paho"), "mosquitto",
        1_000, 10, bar="3 x paho",
    ),
    Scenario(
        "mqtt-qos1", "MQTT, JSON, one value per message, QoS 1, mosquitto", "mqtt", ("ours", "paho"), "mosquitto",
        1_000, 5, qos=1, bar="3 x paho; no gap",
    ),
    Scenario(
        "mqtt-nats", "MQTT, JSON, one value per message, QoS 0, NATS", "mqtt", ("ours", "paho"), "nats", 1_000, 10,
        bar="3 x paho",
    ),
    Scenario(
        "mqtt-nats-qos1", "MQTT, JSON, one value per message, QoS 1, NATS", "mqtt", ("ours", "paho"), "nats", 1_000, 5,
        qos=1, bar="3 x paho; no gap",
    ),
    Scenario(
        "sparkplug", "Sparkplug B, decoding 200 metrics per message", "sparkplug", ("ours", "pysparkplug"), "none",
        200, 0, bar="1.5 M metrics per CPU-second",
    ),
)  # fmt: skip


def chosen(names: str, clients: str, *, quick: bool, seconds: float) -> list[Scenario]:
    """The scenarios of these names, all but `large` by default; quick is one of them for three seconds."""
    wanted, who = _words(names), _words(clients)
    if unknown := set(wanted) - {one.name for one in SCENARIOS}:
        known = ", ".join(one.name for one in SCENARIOS)
        raise ShopfloorError(f"There is no scenario {sorted(unknown)[0]!r}: choose from {known}.")
    if quick:
        wanted, seconds = ["plain"], 3.0
    return [
        replace(one, seconds=seconds, clients=tuple(name for name in one.clients if not who or name in who))
        for one in SCENARIOS
        if (one.name in wanted if wanted else one.name != "large")
    ]


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
