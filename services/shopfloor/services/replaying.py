"""What the server asks of replays, and the answer where the packages of the models are missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from shopfloor.services.registry.words import Refused


@dataclass(frozen=True, slots=True)
class Wish:
    """A replay that somebody asks for: windows that ended in [start, end) UTC ns, and what errors cost."""

    name: str
    number: int
    scope: str
    start: int
    end: int
    by: str
    against: int | None = None
    cost_false_alarm: float = 1.0
    cost_miss: float = 10.0


class Replaying(Protocol):
    """Replays, as the API sees them. Answers are ready for JSON; times in them are epoch ms."""

    def begin(self, wish: Wish) -> Mapping[str, Any]:
        """Begin in the background; answers its id and how far it is."""
        ...

    def all(self) -> Sequence[Mapping[str, Any]]:
        """The newest replays and how far they are, without their results."""
        ...

    def told(self, number: str) -> Mapping[str, Any]:
        """How far a replay is, and what came of it."""
        ...

    def cancel(self, number: str) -> Mapping[str, Any]:
        """End a replay; what it found is dropped."""
        ...

    def again(self, prediction: str) -> Mapping[str, Any]:
        """Make a recorded prediction anew and compare the bits."""
        ...

    def close(self) -> None:
        """End what runs."""
        ...


@dataclass(frozen=True, slots=True)
class NoReplays:
    """A server without models."""

    sentence: str

    def begin(self, wish: Wish) -> Mapping[str, Any]:
        """Refused."""
        raise Refused(self.sentence)

    def all(self) -> Sequence[Mapping[str, Any]]:
        """None."""
        return ()

    def told(self, number: str) -> Mapping[str, Any]:
        """Refused."""
        raise Refused(self.sentence)

    def cancel(self, number: str) -> Mapping[str, Any]:
        """Refused."""
        raise Refused(self.sentence)

    def again(self, prediction: str) -> Mapping[str, Any]:
        """Refused."""
        raise Refused(self.sentence)

    def close(self) -> None:
        """Nothing ends."""
