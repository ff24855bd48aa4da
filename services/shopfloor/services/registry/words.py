"""The words of the registry: versions, stages, where one is in use, and why something is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Final, Self

from shopfloor.plant.errors import QuestionError, ShopfloorError

SYSTEM: Final = "system"
"""Who acts when nobody does: `system`, or `system: ` and the rule."""
EVERYWHERE: Final = "*"
"""The scope of all assets."""
_NOBODY: Final = frozenset({"", "local", "gateway", "anybody", "somebody", "nobody", "admin", "user"})


class Refused(QuestionError):  # noqa: N818 (what happened to the step)
    """A step of a model's life that may not be taken; the sentence says which condition fails."""


class ModelUnknown(ShopfloorError):  # noqa: N818 (what it is)
    """No model, version or scope of this name; the sentence says what there is."""


class Stage(StrEnum):
    """Where a version is in its life, on one scope."""

    CANDIDATE = "candidate"
    SHADOW = "shadow"
    CHAMPION = "champion"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Card:
    """What the registry needs to know of a bundle: its name and how its answers are judged."""

    name: str
    target: str
    title: str
    kind: str  # regression, exceedance, probability, distance, classes, novelty
    unit: str
    coverage: float
    trained_at: int  # UTC ns
    state: str  # "ready" or "abstains"
    live: bool = True  # whether it says which values of an asset it is judged by
    classes: tuple[str, ...] = ()
    identity: str = ""  # the bundle's own sha
    alarm_level: float | None = None  # of a distance: the value from which on it alarms
    alarms_per_day: float | None = None  # and how many such alarms a day a healthy asset was promised


@dataclass(frozen=True, slots=True)
class Version:
    """A submitted bundle: the `number`-th of its name. `sha` is the address of its content; `time` UTC ns."""

    number: int
    sha: str
    by: str
    time: int
    card: Card

    @property
    def name(self) -> str:
        """The model's name."""
        return self.card.name


@dataclass(frozen=True, slots=True)
class Rollout:
    """A version that spreads over a scope in waves. `line` has it since wave 0, `share` says who else has by now."""

    number: int
    wave: int
    share: float
    line: str
    since: int  # UTC ns at which this wave began
    by: str


@dataclass(frozen=True, slots=True)
class Place:
    """What holds for one model on one scope. `before` are the champions a rollback returns to, the newest last."""

    champion: int | None = None
    since: int = 0  # UTC ns at which the champion became it
    before: tuple[int, ...] = ()
    shadows: tuple[int, ...] = ()
    retired: tuple[int, ...] = ()
    proposed: int | None = None
    rollout: Rollout | None = None

    def stage(self, number: int) -> Stage:
        """The stage of a version here."""
        if number == self.champion:
            return Stage.CHAMPION
        if number in self.shadows or (self.rollout and self.rollout.number == number):
            return Stage.SHADOW
        return Stage.RETIRED if number in self.retired else Stage.CANDIDATE

    def without(self, number: int) -> Place:
        """The same place, and the version in no stage of it but that of a former champion."""
        return replace(
            self,
            shadows=tuple(n for n in self.shadows if n != number),
            retired=tuple(n for n in self.retired if n != number),
            proposed=None if self.proposed == number else self.proposed,
            rollout=None if self.rollout and self.rollout.number == number else self.rollout,
        )

    def to_json(self) -> dict[str, Any]:
        """Plain content, for the audit.

        >>> Place.of(Place(champion=2, before=(1,)).to_json()) == Place(champion=2, before=(1,))
        True
        """
        return asdict(self)

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Self:
        """What `to_json` gave."""
        several = {key: tuple(said[key]) for key in ("before", "shadows", "retired")}
        rollout = Rollout(**said["rollout"]) if said["rollout"] else None
        return cls(**{**said, **several, "rollout": rollout})


@dataclass(frozen=True, slots=True)
class Deployment:
    """What serves one asset: the version that speaks, the scope it holds on, and those that are only compared.

    `live` is None where no champion holds. `shadows` are scored and stored, never shown as advice.
    """

    live: Version | None
    scope: str
    shadows: tuple[Version, ...] = ()


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of a promotion: whether it holds, and what is known, as the rest of a sentence."""

    name: str
    holds: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Event:
    """One row of the audit: who did what, when (UTC ns) and why, and what held before and after."""

    sequence: int
    time: int
    what: str
    name: str
    number: int
    scope: str
    by: str
    why: str
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    detail: Mapping[str, Any] | None = None


def person(by: str) -> str:
    """The name of a person, trimmed; what names none raises `Refused`.

    >>> person(" Anna ")
    'Anna'
    """
    name = by.strip()
    if name.lower() in _NOBODY or name.lower().startswith(SYSTEM):
        raise Refused(f"{by[:80]!r} is no person: a named person approves what a line shall trust, give your name.")
    return name


def reason(why: str) -> str:
    """A reason, trimmed; an empty one raises `Refused`."""
    if not why.strip():
        raise Refused("There is no reason: say in a sentence why, the audit keeps it.")
    return why.strip()
