"""What the server asks of a brain, and the answers where there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from shopfloor.services.registry.words import ModelUnknown


class Thinking(Protocol):
    """A brain, as the API sees it. Answers are ready for JSON; times in them are epoch ms."""

    def start(self) -> None:
        """Begin to learn and to judge, in threads and processes of its own."""
        ...

    def stop(self) -> None:
        """End them, within two seconds."""
        ...

    def predictions(self, asset: str | None = None) -> Sequence[Mapping[str, Any]]:
        """The newest prediction of every target."""
        ...

    def explain(self, asset: str, target: str) -> Mapping[str, Any]:
        """Why the newest prediction of a target is what it is; none to explain raises `ModelUnknown`."""
        ...

    def advise(self, asset: str, target: str, low: float | None, high: float | None) -> Mapping[str, Any]:
        """Which setpoints would bring it inside [low, high]; None: to where nobody would act."""
        ...

    def history(self, asset: str, target: str, start: int, end: int) -> Mapping[str, Any]:
        """Past predictions in columns; times in UTC ns."""
        ...

    def models(self) -> Sequence[Mapping[str, Any]]:
        """The models with their scores."""
        ...

    def left_out(self, name: str, number: int) -> Sequence[Mapping[str, str]]:
        """Assets that an uploaded version cannot judge, each with a sentence."""
        ...

    def drift(self, name: str, number: int) -> Mapping[str, Any]:
        """How far what a version sees is from its training; an unknown version raises `ModelUnknown`."""
        ...

    def train_again(self) -> str:
        """Learn anew in the background and propose what comes of it; answers what happens now, in a sentence."""
        ...

    def status(self) -> Mapping[str, Any]:
        """State, progress (0 to 1), sentence and CPU seconds."""
        ...


@dataclass(frozen=True, slots=True)
class NoBrain:
    """A server without models: it connects, stores and shows."""

    sentence: str = "This server has no models: install the extra 'models' to have them."

    def start(self) -> None:
        """Nothing begins."""

    def stop(self) -> None:
        """Nothing ends."""

    def predictions(self, asset: str | None = None) -> Sequence[Mapping[str, Any]]:
        """None."""
        return ()

    def explain(self, asset: str, target: str) -> Mapping[str, Any]:
        """Nothing to explain."""
        raise ModelUnknown(self.sentence)

    def advise(self, asset: str, target: str, low: float | None, high: float | None) -> Mapping[str, Any]:
        """Nothing to advise."""
        raise ModelUnknown(self.sentence)

    def history(self, asset: str, target: str, start: int, end: int) -> Mapping[str, Any]:
        """Empty columns."""
        return {"time": [], "value": [], "low": [], "high": []}

    def models(self) -> Sequence[Mapping[str, Any]]:
        """None."""
        return ()

    def left_out(self, name: str, number: int) -> Sequence[Mapping[str, str]]:
        """None."""
        return ()

    def drift(self, name: str, number: int) -> Mapping[str, Any]:
        """Nothing is seen."""
        raise ModelUnknown(self.sentence)

    def train_again(self) -> str:
        """Nothing happens."""
        return self.sentence

    def status(self) -> Mapping[str, Any]:
        """It waits for ever."""
        return {"state": "waiting", "progress": 0.0, "sentence": self.sentence, "cpu_s": 0.0}
