"""Writing over MQTT: a command on a topic, and the next state that the device reports as its read-back.

A device does not answer a command. One that is published and followed by no new state is an outcome that nobody knows.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from shopfloor.gateway.mqtt.connection import Connection
from shopfloor.gateway.mqtt.options import MqttWriteOptions, TopicOptions
from shopfloor.plant import Batch, RejectedError, SourceLost, quality
from shopfloor.plant.contracts import Outcome, Scalar, Setpoint


@dataclass(slots=True, eq=False)
class _Wait:
    """Somebody waits until the device reports the value that was asked for."""

    asked: Scalar
    came: asyncio.Event = field(default_factory=asyncio.Event)
    seen: int = 0


@dataclass(slots=True)
class Writer:
    """The way back through one broker. It remembers the newest value of each tag that may be written."""

    url: str
    writes: MqttWriteOptions | None
    topics: Sequence[TopicOptions]
    _known: dict[str, bool] = field(default_factory=dict)
    _held: dict[str, Scalar] = field(default_factory=dict)
    _waits: dict[str, _Wait] = field(default_factory=dict)

    def can_write(self, tag: str) -> bool:
        """Whether commands are configured and the tag is one that the source's topics can report."""
        return self.writes is not None and any(_form(topic).fullmatch(tag) for topic in self.topics)

    def observe(self, batch: Batch) -> None:
        """Remember what devices hold, and tell who waits."""
        if self.writes is None:
            return
        for index, tag in enumerate(batch.names):
            if tag not in self._known:
                self._known[tag] = self.can_write(tag) and self.writes.may(tag)
            if self._known[tag]:
                for row in np.flatnonzero(batch.tag == index):
                    if not batch.quality[row] >> 31:
                        self._take(tag, batch.value[row : row + 1].tolist()[0])

    def _take(self, tag: str, value: Scalar) -> None:
        self._held[tag] = value
        wait = self._waits.get(tag)
        if wait is not None:
            wait.seen += 1
            if _alike(wait.asked, value):
                wait.came.set()

    async def apply(self, link: Connection | None, setpoint: Setpoint) -> Outcome:
        """Publish the command and wait for the state; a lost link raises `SourceLost`."""
        if self.writes is None or isinstance(setpoint.value, tuple):
            return Outcome(quality.BAD_NOT_WRITABLE, None, f"{setpoint.tag} has no command topic: give 'writes.topic'.")
        if link is None or link.lost is not None:
            raise SourceLost(f"The broker {self.url} is not connected.")
        before = self._held.get(setpoint.tag)
        wait = self._waits[setpoint.tag] = _Wait(setpoint.value)
        topic, payload = self.writes.command(setpoint.tag, setpoint.value)
        try:
            async with asyncio.timeout(self.writes.timeout):
                await link.publish([(topic, payload)])
                await _first(link, wait)
        except TimeoutError:
            if link.lost is not None:
                raise link.lost from None
            return self._unanswered(setpoint, topic, wait, before)
        except RejectedError as refused:
            return Outcome(quality.BAD_USER_ACCESS_DENIED, None, str(refused), before)
        finally:
            del self._waits[setpoint.tag]
        return Outcome(quality.GOOD, self._held[setpoint.tag], before=before)

    def _unanswered(self, setpoint: Setpoint, topic: str, wait: _Wait, before: Scalar | None) -> Outcome:
        assert self.writes is not None  # noqa: S101 (apply has looked)
        held = self._held.get(setpoint.tag)
        if wait.seen:
            sentence = (
                f"The command on {topic} was published and the device still reports {held!r}, not {setpoint.value!r}:"
                " look at its log, and at its limits."
            )
            return Outcome(quality.BAD, held, sentence, before)
        if held is not None and _alike(setpoint.value, held):
            return Outcome(quality.GOOD, held, f"{setpoint.tag} already was {held!r} and no other state came.", before)
        sentence = (
            f"The command on {topic} was published and no state of {setpoint.tag} came within"
            f" {self.writes.timeout:g} s: nobody knows whether the device took it; look at the device."
        )
        return Outcome(quality.BAD_TIMEOUT, None, sentence, before)


async def _first(link: Connection, wait: _Wait) -> None:
    while not wait.came.is_set() and link.lost is None:
        try:
            async with asyncio.timeout(0.2):
                await wait.came.wait()
        except TimeoutError:
            continue
    if link.lost is not None:
        raise link.lost


def _form(topic: TopicOptions) -> re.Pattern[str]:
    pattern = re.sub(r"\\\{[a-z_]+\\\}", "[^/]+", re.escape(topic.tag))
    return re.compile(pattern.replace(r"\*", "[^/]*"))


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-12)
    return bool(one == other)
