"""What the process that makes a report is given on stdin, and what it answers on stdout: JSON, and then the file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import msgspec
from pydantic import TypeAdapter
from shopfloor.plant.config import PlantConfig
from shopfloor.services.reports.document import Head, Report, Told
from shopfloor.services.reports.words import Format, Language

_PLANT: Final = TypeAdapter(PlantConfig)


@dataclass(frozen=True, slots=True)
class Wish:
    """How a report is to be written."""

    language: Language = "en"
    format: Format = "pdf"


@dataclass(frozen=True, slots=True)
class Task:
    """A report to make: the data folder of its server, the plant, and what the server told; without a wish no file."""

    folder: str
    plant: msgspec.Raw
    head: Head
    told: Told
    wish: Wish | None

    @property
    def config(self) -> PlantConfig:
        """The plant, without the sources of its values."""
        return _PLANT.validate_json(bytes(self.plant))

    def packed(self) -> bytes:
        """As JSON."""
        return msgspec.json.encode(self)


@dataclass(frozen=True, slots=True)
class Done:
    """A report in numbers, and its file."""

    document: Report
    file: bytes

    def packed(self) -> bytes:
        """A line of JSON, and then the file."""
        return packed(self.document) + b"\n" + self.file


def plain(config: PlantConfig) -> msgspec.Raw:
    """A plant as JSON, without the sources of its values."""
    return msgspec.Raw(_PLANT.dump_json(replace(config, sources=())))


def task(data: bytes) -> Task:
    """A task out of JSON."""
    return msgspec.json.decode(data, type=Task)


def done(data: bytes) -> Done:
    """What a process answered."""
    document, _, file = data.partition(b"\n")
    return Done(msgspec.json.decode(document, type=Report), file)


def packed(report: Report) -> bytes:
    """A document as JSON."""
    return msgspec.json.encode(report)
