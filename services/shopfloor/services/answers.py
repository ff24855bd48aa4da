"""Answers to devices: what people do with a device's condition is asked of the device, by its gateway.

What the device answers is told; only its own event changes the alarm. Where it cannot be asked, nothing is pretended.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from shopfloor.plant import ShopfloorError
from shopfloor.plant.condition import Act
from shopfloor.services.alarms import Alarm, Alarms
from shopfloor.services.alarms.pending import Asked
from shopfloor.services.clock import Clock
from shopfloor.services.errands import Errands
from shopfloor.services.gateways import Gateways

_PATIENCE_S: Final = 20.0
_OFFERS: Final = {Act.UNSHELVE: Act.SHELVE}


class NotAnswered(ShopfloorError):  # noqa: N818 (a state of the world)
    """The device was not reached, or nobody knows whether it was."""


class NotTaken(ShopfloorError):  # noqa: N818
    """The device, or its gateway, has refused."""


class Answers:
    """`errands` carry, `gateways` tell who has a source; after `patience_s` a person is told that nobody answers."""

    def __init__(
        self, alarms: Alarms, errands: Errands, gateways: Gateways, clock: Clock, patience_s: float = _PATIENCE_S
    ) -> None:
        self.patience_s = patience_s
        self._alarms, self._errands, self._gateways, self._clock = alarms, errands, gateways, clock

    def offered(self, alarm: Alarm, act: Act) -> bool:
        """Whether this goes to the device of an alarm."""
        return _OFFERS.get(act, act) in alarm.condition.device.get("answers", ())

    async def acknowledge(self, alarm: Alarm, by: str, note: str) -> None:
        """Acknowledge at the device; `NotTaken` where the plant file does not let that pass."""
        if not self.offered(alarm, Act.ACKNOWLEDGE):
            source = alarm.condition.device["source"]
            raise NotTaken(
                f"The source {source!r} passes no acknowledgements on: acknowledge it at the device, or say"
                " 'acknowledge: true' in its 'conditions'."
            )
        await self.give(alarm, Act.ACKNOWLEDGE, by, note)

    async def give(self, alarm: Alarm, act: Act, by: str, note: str = "", minutes: float = 0.0) -> str:
        """Ask the device, once; what it says. `NotTaken` and `NotAnswered` have the sentence for people."""
        device, key = alarm.condition.device, alarm.condition.key
        body = {
            "source": device["source"], "id": device["id"], "event": device["event"], "act": act.value, "by": by,
            "comment": f"{by}: {note}" if note else by, "minutes": minutes,
        }  # fmt: skip
        gateway = self._gateway(str(device["source"]))
        self._alarms.pending.ask(key, Asked(act, by, note, self._clock()))
        try:
            return await self._ask(gateway, body)
        except ShopfloorError:
            self._alarms.pending.drop(key)
            raise

    async def _ask(self, gateway: str, body: dict[str, Any]) -> str:
        try:
            async with asyncio.timeout(self.patience_s):
                return await self._said(gateway, body)
        except TimeoutError as late:
            raise NotAnswered(
                f"The gateway did not answer within {self.patience_s:g} s: nobody knows whether the device was told;"
                " look whether the gateway runs, and at the alarm."
            ) from late

    async def _said(self, gateway: str, body: dict[str, Any]) -> str:
        async for part in self._errands.ask(gateway, "condition", body):
            if part.get("unknown"):
                raise NotAnswered(str(part["error"]))
            if "status" not in part:
                raise NotAnswered(f"The device was not told: {part.get('error', 'the gateway said nothing of it.')}")
            if int(part["status"]) >> 31:
                raise NotTaken(str(part["sentence"]))
            return str(part["sentence"])
        raise NotAnswered("The gateway said nothing of it: look at its audit before you try again.")

    def _gateway(self, source: str) -> str:
        """The gateway that has the source; the one that is connected to it where several have one of that name."""
        having = [
            (one.get("state") != "connected", post.gateway)
            for post in self._gateways.posts()
            for one in post.sources
            if one.get("name") == source
        ]
        if not having:
            raise NotAnswered(f"No gateway has the source {source!r} now: the device was not told.")
        return min(having)[1]
