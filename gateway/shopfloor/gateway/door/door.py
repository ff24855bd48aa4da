"""The door: the one narrow way back to the machines. Deny by default, one write at a time for a tag, all of it audited.

A setpoint passes when its tag is `writable` with a `range` (or `states`) in the plant file, the source that has the tag
allows it in `writes`, and it does not come too soon. Every refusal has a StatusCode and a sentence. Nothing is retried.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

from shopfloor.gateway.door.audit import Audit, is_unknown
from shopfloor.gateway.door.judge import Pace, RefusedError, check_allowed, value_for, values_for
from shopfloor.plant import SourceLost, StoreError, Tag, quality
from shopfloor.plant.condition import Answer
from shopfloor.plant.config import WriteOptions
from shopfloor.plant.contracts import Actuator, Answerable, Argument, Outcome, Plant, Scalar, Setpoint

_logger = logging.getLogger(__name__)
_PATIENCE_S: Final = 30.0
_FLOAT32: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Way:
    """One source that can write, and what its `writes` allows."""

    source: str
    actuator: Actuator
    writes: WriteOptions | None


@dataclass(slots=True)
class Door:
    """Judges, audits and passes on. `plant` and `ways` are asked for each setpoint: both may change meanwhile."""

    plant: Callable[[], Plant]
    ways: Callable[[], Sequence[Way]]
    audit: Audit
    clock: Callable[[], float] = time.monotonic
    patience: float = _PATIENCE_S
    _busy: set[str] = field(default_factory=set)
    _paces: dict[str, Pace] = field(default_factory=dict)

    async def apply(self, setpoint: Setpoint, *, by: str, reason: str = "") -> Outcome:
        """Pass a setpoint on, and say what was before, what is now, and what the device said. Never raises for one."""
        source = ""
        try:
            way, setpoint = self._judge(setpoint, by)
            source = way.source
            self._begin(way, setpoint.tag)
        except RefusedError as refused:
            return await self._refuse(setpoint, source, by, reason, refused)
        try:
            return await self._pass(way, setpoint, by, reason)
        finally:
            self._busy.discard(setpoint.tag)

    async def answer(self, source: str, device: Answerable, answer: Answer, *, by: str) -> Outcome:
        """Pass on what somebody says of a condition of a device; noted before and after as a setpoint is."""
        asked = Setpoint(f"condition {answer.id}", answer.act.value)
        if not by.strip():
            said = "A condition was answered by nobody: every answer carries a name."
            return await self._refuse(
                asked, source, by, answer.comment, RefusedError(quality.BAD_USER_ACCESS_DENIED, said)
            )
        return await self._noted(asked, source, by, answer.comment, lambda: device.answer(answer))

    async def settle(self) -> None:
        """Wait for the outcomes of what is under way, so that the audit has them before it is closed."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self.patience):
                while self._busy:  # noqa: ASYNC110 (there is rarely one)
                    await asyncio.sleep(0.05)

    def _judge(self, setpoint: Setpoint, by: str) -> tuple[Way, Setpoint]:
        if not by.strip():
            raise RefusedError(
                quality.BAD_USER_ACCESS_DENIED, f"{setpoint.tag} was asked for by nobody: every write carries a name."
            )
        tag = self.plant().tag(setpoint.tag)
        found = [way for way in self.ways() if way.actuator.can_write(setpoint.tag)]
        arguments = next((a for way in found if (a := _arguments(way, setpoint.tag)) is not None), None)
        if arguments is None:
            value: Scalar | tuple[Scalar, ...] = value_for(setpoint.tag, tag, setpoint.value)
        else:
            value = values_for(setpoint.tag, arguments, setpoint.value)
        return self._one_way(found, setpoint.tag), replace(setpoint, value=value)

    def _one_way(self, found: list[Way], tag: str) -> Way:
        if not found:
            raise RefusedError(
                quality.BAD_NOT_WRITABLE, f"No source can write {tag}: name its place at the device in the plant file."
            )
        if len(found) > 1:
            names = " and ".join(repr(way.source) for way in found)
            raise RefusedError(
                quality.BAD_CONFIGURATION_ERROR, f"{names} can both write {tag}: leave the tag to one of them."
            )
        return found[0]

    def _begin(self, way: Way, tag: str) -> None:
        writes = check_allowed(way.source, way.writes, tag)
        if not way.actuator.connected:
            raise RefusedError(
                quality.BAD_NOT_CONNECTED,
                f"The source {way.source!r} is not connected: {tag} was not written; see its state.",
            )
        if tag in self._busy:
            raise RefusedError(
                quality.BAD_RESOURCE_UNAVAILABLE, f"Another write to {tag} is under way: wait for its outcome."
            )
        self._paces.setdefault(way.source, Pace(way.source)).count(tag, writes, self.clock())
        self._busy.add(tag)

    async def _refuse(self, setpoint: Setpoint, source: str, by: str, reason: str, refused: RefusedError) -> Outcome:
        outcome = Outcome(refused.status, None, str(refused))
        try:
            await asyncio.to_thread(self.audit.refuse, setpoint, source, by, reason, outcome)
        except StoreError as problem:
            _logger.error("%s", problem)  # noqa: TRY400 (a sentence, no trace)
        return outcome

    async def _pass(self, way: Way, setpoint: Setpoint, by: str, reason: str) -> Outcome:
        return await self._noted(setpoint, way.source, by, reason, lambda: self._write(way, setpoint))

    async def _noted(
        self, setpoint: Setpoint, source: str, by: str, reason: str, work: Callable[[], Awaitable[Outcome]]
    ) -> Outcome:
        try:
            intent = await asyncio.to_thread(self.audit.intend, setpoint, source, by, reason)
        except StoreError as problem:
            return Outcome(quality.BAD_RESOURCE_UNAVAILABLE, None, str(problem))
        outcome = _unknown(setpoint.tag, "the gateway stopped asking")
        try:
            outcome = await self._ask(setpoint, work)
        finally:
            outcome = self._note(intent, outcome)
        return outcome

    async def _ask(self, setpoint: Setpoint, work: Callable[[], Awaitable[Outcome]]) -> Outcome:
        try:
            async with asyncio.timeout(self.patience):
                return await work()
        except SourceLost as lost:
            return _unknown(setpoint.tag, str(lost).rstrip("."))
        except TimeoutError:
            return _unknown(setpoint.tag, f"the device did not answer within {self.patience:g} s")

    async def _write(self, way: Way, setpoint: Setpoint) -> Outcome:
        outcome = await way.actuator.apply(setpoint)
        if _arguments(way, setpoint.tag) is not None or outcome.status >> 30:
            return outcome
        return _compared(setpoint, outcome, self.plant().tag(setpoint.tag))

    def _note(self, intent: int, outcome: Outcome) -> Outcome:
        if is_unknown(outcome):
            _logger.warning("%s", outcome.sentence)
        try:
            self.audit.close(intent, outcome)  # blocks, so that a cancelled task still leaves its outcome behind
        except StoreError as problem:
            _logger.error("%s", problem)  # noqa: TRY400
            return replace(
                outcome, sentence=f"{outcome.sentence} This outcome could not be recorded: {problem}".strip()
            )
        return outcome


def _arguments(way: Way, tag: str) -> Sequence[Argument] | None:
    methods: Mapping[str, Sequence[Argument]] = getattr(way.actuator, "methods", {})
    return methods.get(tag)


def _unknown(tag: str, why: str) -> Outcome:
    sentence = f"Nobody knows whether the device took {tag} ({why}): look at the device before you try again."
    return Outcome(quality.BAD_COMMUNICATION_ERROR, None, sentence)


def _compared(setpoint: Setpoint, outcome: Outcome, tag: Tag | None) -> Outcome:
    """A device that took a value and holds another one is uncertain, never silently good."""
    asked, held = setpoint.value, outcome.read_back
    if held is None:
        return replace(
            outcome, status=quality.UNCERTAIN, sentence=f"{setpoint.tag} was written and could not be read back."
        )
    if not _alike(asked, held, tag):
        return replace(
            outcome,
            status=quality.UNCERTAIN,
            sentence=f"{setpoint.tag} was asked for {asked!r} and holds {held!r}: look at the device.",
        )
    return replace(outcome, sentence=outcome.sentence or f"{setpoint.tag} holds {held!r}, before {outcome.before!r}.")


def _alike(asked: object, held: object, tag: Tag | None) -> bool:
    """Equal as far as float32 and the tag's decimals go."""
    if not isinstance(asked, int | float) or not isinstance(held, int | float):
        return asked == held
    last = 0.5 * 10.0**-tag.decimals if tag else 0.0
    return math.isclose(asked, held, rel_tol=_FLOAT32, abs_tol=last)
