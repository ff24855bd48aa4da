"""A line as it speaks MQTT: topics, JSON messages, and orders that arrive."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Iterable

from shopfloor.plant import quality
from shopfloor.simulators.engine import SetpointError, Simulation
from shopfloor.simulators.frame import Change, Frame
from shopfloor.simulators.mqtt import Client

_LOG = logging.getLogger(__name__)


class MqttWire:
    """JSON messages: an object per asset for the fast tags, a message per tag for the others."""

    def __init__(self, simulation: Simulation, client: Client) -> None:
        self._line = simulation.line
        self._client = client
        self._topics = [topic(asset) for asset in simulation.assets]
        self._names = [tag.name for tag in simulation.line.tags]

    async def changes(self, changes: Iterable[Change]) -> None:
        """Publish what changed; the broker retains it."""
        for change in changes:
            name = f"{self._topics[change.asset]}/{self._names[change.tag]}"
            self._client.publish(name, value_json(change.value, change.time, change.quality), retain=True)

    async def slow(self, frame: Frame) -> None:
        """Publish the tags that are sampled once per step, one message each."""
        for place, values, codes in zip(self._topics, frame.slow.tolist(), frame.slow_quality.tolist(), strict=True):
            for tag, value, code in zip(self._line.slow, values, codes, strict=True):
                self._client.publish(f"{place}/{self._names[tag]}", value_json(value, frame.time, code))

    async def fast(self, frame: Frame, sub: int) -> None:
        """Publish one object per asset; a tag that is not good leaves the object and says so by itself."""
        moment = frame.sub_times()[sub]
        names = [self._names[tag] for tag in self._line.fast]
        for place, values, codes in zip(
            self._topics, frame.fast[:, :, sub].tolist(), frame.fast_quality.tolist(), strict=True
        ):
            good = {name: value for name, value, code in zip(names, values, codes, strict=True) if code == quality.GOOD}
            self._client.publish(place, json.dumps({"t": milliseconds(moment), "values": good}).encode())
            for name, value, code in zip(names, values, codes, strict=True):
                if code != quality.GOOD:
                    self._client.publish(f"{place}/{name}", value_json(value, moment, code))


def topic(asset: str) -> str:
    """Topic of an asset: site, line and asset of its path.

    >>> topic("delta/smelter/potline/row-1/pot-01")
    'factory/delta/potline/pot-01'
    """
    site, _, line, _, name = asset.split("/")
    return f"factory/{site}/{line}/{name}"


def value_json(value: float | int | str, moment: int, code: int = 0) -> bytes:
    """A message with one value: `v` (null when bad), `t` (ms since 1970), `q` ("good" or a StatusCode).

    >>> value_json(958.2, 1_500_000_000)
    b'{"v": 958.2, "t": 1500, "q": "good"}'
    """
    nothing = code >> 30 >= quality.Severity.BAD or (isinstance(value, float) and not math.isfinite(value))
    return json.dumps({"v": None if nothing else value, "t": milliseconds(moment), "q": code or "good"}).encode()


def milliseconds(moment: int) -> int | float:
    """Milliseconds since 1970 of UTC ns: whole ones as an integer."""
    return moment // 1_000_000 if moment % 1_000_000 == 0 else moment / 1e6


class Orders:
    """Writes that arrive on `<asset topic>/<setpoint>/set` with the payload `{"v": number}`."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._assets = {topic(asset): index for index, asset in enumerate(simulation.assets)}

    def subscriptions(self) -> tuple[str, ...]:
        """Topics to listen on."""
        return tuple(sorted({f"{place.rpartition('/')[0]}/+/+/set" for place in self._assets}))

    def take(self, name: str, payload: bytes) -> None:
        """Set the setpoint; an order that makes no sense or is refused changes nothing and is logged."""
        place, setpoint = name.removesuffix("/set").rsplit("/", 1)
        try:
            self._simulation.write(self._assets[place], setpoint, float(json.loads(payload)["v"]))
        except SetpointError as refused:
            _LOG.warning("%s", refused)
        except (ValueError, KeyError, TypeError):
            text = payload[:80].decode(errors="replace")
            _LOG.warning('The order %r on %s was refused: {"v": number} for a known asset was expected.', text, name)
