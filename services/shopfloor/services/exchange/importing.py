"""Importing: parts of a file become batches, batches go through a door, refused lines into a file beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Protocol, Self

from shopfloor.plant import Batch
from shopfloor.services.exchange.columns import Refused
from shopfloor.services.exchange.doors import Door

_SHOWN: Final = 5


class Input(Protocol):
    """A file that is read in parts; a file of its refused lines begins with `head`."""

    @property
    def head(self) -> str:
        """The first line of the file of refused lines, or nothing."""
        ...

    def parts(self) -> Iterator[tuple[list[Batch], list[Refused]]]:
        """Batches of the next part, and what was refused of it."""
        ...

    def aside(self, line: int, sentence: str) -> str:
        """A refused line of the last part with its reason, for that file."""
        ...


@dataclass(slots=True)
class Outcome:
    """How many values were stored now and before, how many lines were refused, and the first reasons."""

    stored: int = 0
    repeated: int = 0
    refused: int = 0
    reasons: tuple[str, ...] = ()


def bring_in(source: Input, door: Door, aside: Aside, tell: Callable[[int], None]) -> Outcome:
    """Store everything that can be understood; `tell` hears how many values that were."""
    outcome, sequence, accepted = Outcome(), 0, 0
    for batches, refused in source.parts():
        aside.keep(source, refused, outcome)
        for batch in batches:
            sequence, accepted = sequence + 1, accepted + len(batch)
            if door.store(sequence, accepted, batch):
                outcome.repeated += len(batch)
            else:
                outcome.stored += len(batch)
            tell(accepted)
    return outcome


class Aside:
    """The file of refused lines with their numbers and reasons. It is made with the first of them."""

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
        for line, sentence in sorted(dict(reversed(refused)).items()):
            self._opened(source).write(source.aside(line, sentence))
            outcome.refused += 1
            if len(outcome.reasons) < _SHOWN:
                outcome.reasons += (f"line {line}: {sentence}",)

    def _opened(self, source: Input) -> IO[str]:
        if self._out is None:
            self._out = self.file.open("w", encoding="utf-8", errors="surrogateescape", newline="")
            self._out.write(source.head)
        return self._out
