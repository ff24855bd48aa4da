"""Importing: parts of a file become batches, batches go through a door, refused lines into a file beside it."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Protocol, Self

from shopfloor.services.exchange.columns import Columns, Reading, Refused, understand
from shopfloor.services.exchange.doors import Door

_SHOWN: Final = 5


class Input(Protocol):
    """A file that is read in parts; `records` are the raw rows of the last part, `refused` those that were none."""

    header: list[str]
    refused: list[Refused]
    records: dict[int, list[str]]

    def parts(self) -> Iterator[Columns]:
        """The next part."""
        ...


@dataclass(slots=True)
class Outcome:
    """How many values were stored now and before, how many lines were refused, and the first reasons."""

    stored: int = 0
    repeated: int = 0
    refused: int = 0
    reasons: tuple[str, ...] = ()


def bring_in(source: Input, reading: Reading, door: Door, aside: Aside, tell: Callable[[int], None]) -> Outcome:
    """Store everything that can be understood; `tell` hears how many values that were."""
    outcome, sequence, accepted = Outcome(), 0, 0
    for columns in source.parts():
        batches, refused = understand(columns, reading)
        refused += source.refused
        source.refused.clear()
        aside.keep(source, refused, outcome)
        for batch in batches:
            sequence, accepted = sequence + 1, accepted + len(batch)
            if door.store(sequence, accepted, batch):
                outcome.repeated += len(batch)
            else:
                outcome.stored += len(batch)
            tell(accepted)
    aside.keep(source, source.refused, outcome)
    return outcome


class Aside:
    """The file of refused lines: their columns, their number and the reason. It is made with the first of them."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._out: IO[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._out is not None:
            self._out.close()

    def keep(self, source: Input, refused: list[Refused], outcome: Outcome) -> None:
        """Write lines down, and count them."""
        if not refused:
            return
        table = self._table(source.header)
        for line, sentence in sorted(dict(reversed(refused)).items()):
            record = source.records.get(line, [])
            table.writerow([*record, *[""] * (len(source.header) - len(record)), line, sentence])
            outcome.refused += 1
            if len(outcome.reasons) < _SHOWN:
                outcome.reasons += (f"line {line}: {sentence}",)

    def _table(self, header: list[str]) -> Any:
        if self._out is not None:
            return csv.writer(self._out)
        self._out = self.file.open("w", encoding="utf-8", errors="surrogateescape", newline="")
        table = csv.writer(self._out)
        table.writerow([*header, "refused_line", "refused_why"])
        return table
