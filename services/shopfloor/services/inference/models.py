"""What the protocol's endpoints ask, and the answers of a server without models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from shopfloor.services.inference.message import Request
from shopfloor.services.inference.refusal import InferenceRefused
from shopfloor.services.registry import Registry
from shopfloor.services.thinking import NoBrain


class Models(Protocol):
    """Models by name and number. What is unknown, or cannot answer, raises `InferenceRefused`."""

    def ready(self) -> bool:
        """Whether every model that speaks can be asked."""
        ...

    def is_ready(self, name: str, number: str | None) -> bool:
        """Whether a version answers; None: the one that speaks."""
        ...

    def metadata(self, name: str, number: str | None) -> Mapping[str, Any]:
        """What a version wants and gives."""
        ...

    def infer(self, name: str, number: str | None, request: Request) -> tuple[bytes, dict[str, str]]:
        """The answer's body and its headers."""
        ...


@dataclass(frozen=True, slots=True)
class NoModels:
    """A server without the packages of the models."""

    sentence: str

    def ready(self) -> bool:
        """Nothing can be asked."""
        return False

    def is_ready(self, name: str, number: str | None) -> bool:
        """Refused."""
        raise InferenceRefused(self.sentence, 404)

    def metadata(self, name: str, number: str | None) -> Mapping[str, Any]:
        """Refused."""
        raise InferenceRefused(self.sentence, 404)

    def infer(self, name: str, number: str | None, request: Request) -> tuple[bytes, dict[str, str]]:
        """Refused."""
        raise InferenceRefused(self.sentence, 404)


def models_of(registry: Registry) -> Models:
    """The models of a registry, or none where the packages that they need are not installed."""
    try:
        from shopfloor.services.inference.shelf import Shelf
    except ModuleNotFoundError as missing:
        if (missing.name or "").startswith("shopfloor"):
            raise
        return NoModels(NoBrain().sentence)
    return Shelf(registry)
