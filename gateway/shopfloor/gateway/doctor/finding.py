"""What the doctor says of one step: how it went, why, and what to do."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Final, Protocol
from urllib.parse import urlsplit

from shopfloor.plant.contracts import Plant

NOT_REACHED: Final = "not-reached"


class State(StrEnum):
    """How a step went. A note works, and is worth knowing."""

    OK = "ok"
    NOTE = "note"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """One step of the ladder. `cause` is stable, for programs; `why` and `fix` are one sentence each, for people.

    >>> Finding("port", State.FAILED, "Nothing listens there.", "Start it.", "port-refused").as_dict()["state"]
    'failed'
    """

    step: str
    state: State
    why: str = ""
    fix: str = ""
    cause: str = ""

    def as_dict(self) -> dict[str, str]:
        """The finding for JSON."""
        return dataclasses.asdict(self) | {"state": self.state.value}


class Stuck(Exception):  # noqa: N818 (a result, not a mistake)
    """A failed step without which the rest is impossible."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.why)
        self.finding = finding


def ok(step: str, why: str) -> Finding:
    """A step that went well."""
    return Finding(step, State.OK, why)


def failed(step: str, cause: str, why: str, fix: str) -> Finding:
    """A step that went wrong; the sentences get their capital and their full stop here."""
    return Finding(step, State.FAILED, sentence(why), sentence(fix), cause)


def note(step: str, cause: str, why: str, fix: str) -> Finding:
    """A step that went well, with something to know."""
    return Finding(step, State.NOTE, sentence(why), sentence(fix), cause)


def sentence(text: str) -> str:
    """Text with a capital and a full stop.

    >>> sentence("check its name")
    'Check its name.'
    """
    return f"{text[:1].upper()}{text[1:]}".rstrip(".") + "."


@dataclass(frozen=True, slots=True)
class Subject:
    """What is examined: a URL, the connector's own options for it, and how long to watch (in s).

    `mapped` says whether the options come from a plant file, and so name what is to be read.
    """

    url: str
    options: Mapping[str, Any] = field(default_factory=dict)
    plant: Plant | None = None
    data: Path | None = None
    seconds: float = 5.0
    mapped: bool = False

    @property
    def scheme(self) -> str:
        """What the URL begins with."""
        return self.url.partition("://")[0]

    @property
    def host(self) -> str:
        """The host in the URL."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The port in the URL, or the usual one."""
        return urlsplit(self.url).port or PORTS[self.scheme]


PORTS = {"opc.tcp": 4840, "mqtt": 1883, "mqtts": 8883, "modbus": 502}


class Examiner(Protocol):
    """What a connector brings: its steps in order, and the examination once the port is open.

    `examine` yields one finding per step; it raises `Stuck` when the steps after cannot be tried.
    """

    steps: ClassVar[tuple[str, ...]]

    def examine(self, subject: Subject) -> AsyncIterator[Finding]:
        """Walk the connector's own steps."""
        ...
