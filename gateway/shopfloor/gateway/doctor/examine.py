"""The examination: network first, then the connector's own steps; stops where nothing further can be tried."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from importlib import import_module
from pathlib import Path
from typing import Any, Final, cast

from shopfloor.gateway.doctor import network
from shopfloor.gateway.doctor.finding import NOT_REACHED, Examiner, Finding, State, Stuck, Subject
from shopfloor.plant.contracts import Plant

_EXAMINERS: Final = {
    "opc.tcp": "shopfloor.gateway.doctor.opcua",
    "mqtt": "shopfloor.gateway.doctor.mqtt",
    "mqtts": "shopfloor.gateway.doctor.mqtt",
    "modbus": "shopfloor.gateway.doctor.modbus",
}


def steps_of(url: str) -> tuple[str, ...]:
    """The steps of an examination in order, as many as are known for this kind of address.

    >>> steps_of("http://x")
    ('address', 'name', 'port')
    """
    examiner = _examiner(url.partition("://")[0])
    return network.STEPS + (examiner.steps if examiner else ())


async def examine(
    url: str,
    options: Mapping[str, Any] | None = None,
    *,
    plant: Plant | None = None,
    data: Path | None = None,
    seconds: float = 5.0,
    mapped: bool = False,
) -> AsyncGenerator[Finding]:
    """One finding per step. `options` are the connector's; `mapped`: they come from a plant file, with all its tags."""
    subject = Subject(url, options or {}, plant, data, seconds, mapped)
    left = list(steps_of(url))
    try:
        async with aclosing(_walk(subject)) as findings:
            async for finding in findings:
                if finding.step in left:
                    left.remove(finding.step)
                yield finding
    except Stuck as stuck:
        yield stuck.finding
        for step in left:
            if step != stuck.finding.step:
                yield Finding(step, State.SKIPPED, "Not reached.", cause=NOT_REACHED)


async def _walk(subject: Subject) -> AsyncGenerator[Finding]:
    async for finding in network.reach(subject):
        yield finding
    examiner = _examiner(subject.scheme)
    if examiner is not None:
        async for finding in examiner.examine(subject):
            yield finding


def _examiner(scheme: str) -> Examiner | None:
    module = _EXAMINERS.get(scheme)
    return cast("Examiner", import_module(module).EXAMINER) if module else None
