"""What may be written at all, judged without a device: the plant file's tag, its limits, the source's allow-list."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from shopfloor.plant import Kind, ShopfloorError, Tag, quality
from shopfloor.plant.config import WriteOptions
from shopfloor.plant.contracts import Argument, Scalar
from shopfloor.plant.counted import counted
from shopfloor.plant.tag import Band


class RefusedError(ShopfloorError):
    """A setpoint that is not passed on: an OPC UA StatusCode and one sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        self.status = status
        super().__init__(sentence)


def value_for(path: str, tag: Tag | None, value: Scalar | tuple[Scalar, ...]) -> Scalar:
    """The value as the tag holds it; raises `RefusedError` when the plant file does not allow it.

    >>> value_for("a/b/c/d/e/t", Tag("t", Kind.INT, writable=True, range=Band(0, 9)), 5.0)
    5
    """
    if tag is None:
        raise RefusedError(
            quality.BAD_NODE_ID_UNKNOWN,
            f"{path} is no tag of the plant file: write site/area/line/cell/asset/tag as it stands there.",
        )
    if not tag.writable:
        raise RefusedError(
            quality.BAD_NOT_WRITABLE,
            f"{path} cannot be written: a setpoint says 'writable: true' and its 'range' in the plant file.",
        )
    if isinstance(value, tuple):
        raise RefusedError(
            quality.BAD_TYPE_MISMATCH, f"{path} takes one value and got {len(value)}: several belong to a method."
        )
    return _fit(path, tag.kind, tag.range, tag.states, tag.unit, value)


def values_for(path: str, arguments: Sequence[Argument], value: Scalar | tuple[Scalar, ...]) -> tuple[Scalar, ...]:
    """The arguments of a method, each within its limits; raises `RefusedError`."""
    given = value if isinstance(value, tuple) else (value,)
    if len(given) != len(arguments):
        names = ", ".join(argument.name for argument in arguments) or "none"
        raise RefusedError(
            quality.BAD_ARGUMENTS_MISSING,
            f"{path} got {counted(len(given), 'argument')}: it takes {len(arguments)} ({names}), in this order.",
        )
    return tuple(
        _fit(f"{path} ({argument.name})", argument.kind, argument.range, argument.states, "", one)
        for argument, one in zip(arguments, given, strict=True)
    )


def _fit(path: str, kind: Kind, band: Band | None, states: Sequence[str], unit: str, value: Scalar) -> Scalar:
    if kind is Kind.TEXT:
        return _text(path, states, value)
    if isinstance(value, bool | str) or not isinstance(value, int | float):
        raise RefusedError(quality.BAD_TYPE_MISMATCH, f"{path} holds numbers and got {_shown(value)}: write digits.")
    if not _finite(value):
        raise RefusedError(quality.BAD_OUT_OF_RANGE, f"{path} got {_shown(value)}: a finite number was expected.")
    if kind is Kind.INT and value != int(value):
        raise RefusedError(quality.BAD_TYPE_MISMATCH, f"{path} holds whole numbers and got {value:g}: round it.")
    if band is None:
        raise RefusedError(
            quality.BAD_NOT_WRITABLE,
            f"{path} has no limits and is not written without: give it a 'range' in the plant file.",
        )
    if not band.low <= value <= band.high:
        limits = f"{band.low:g} to {band.high:g} {unit}".rstrip()
        raise RefusedError(
            quality.BAD_OUT_OF_RANGE, f"{path} takes {limits} and was asked for {value:g}: stay within these limits."
        )
    return int(value) if kind is Kind.INT else float(value)


def _text(path: str, states: Sequence[str], value: Scalar) -> str:
    if not isinstance(value, str):
        raise RefusedError(quality.BAD_TYPE_MISMATCH, f"{path} holds text and got {_shown(value)}: write a text.")
    if not states:
        raise RefusedError(
            quality.BAD_NOT_WRITABLE,
            f"{path} has no list of texts and is not written without: give its 'states' in the plant file.",
        )
    if value not in states:
        raise RefusedError(
            quality.BAD_OUT_OF_RANGE,
            f"{path} was asked for {value[:40]!r}: it takes {', '.join(states[:12])}.",
        )
    return value


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _shown(value: object) -> str:
    huge = isinstance(value, int) and value.bit_length() > 64
    return "a number too large for any device" if huge else repr(value)[:40]


def check_allowed(source: str, writes: WriteOptions | None, tag: str) -> WriteOptions:
    """What the source's `writes` says; raises `RefusedError` unless it names the tag."""
    if writes is None:
        raise RefusedError(
            quality.BAD_USER_ACCESS_DENIED,
            f"The source {source!r} allows no writes: list {tag} under its 'writes: {{allow: […]}}'.",
        )
    if not writes.may(tag):
        raise RefusedError(
            quality.BAD_USER_ACCESS_DENIED,
            f"{tag} is not on the list of what may be written through {source!r}: add it to 'writes.allow'.",
        )
    return writes


@dataclass(slots=True)
class Pace:
    """How often one source is written to. Times are monotonic s."""

    source: str
    _last: dict[str, float] = field(default_factory=dict)
    _recent: list[float] = field(default_factory=list)

    def count(self, tag: str, writes: WriteOptions, now: float) -> None:
        """Count a write, or raise `RefusedError` when it comes too soon."""
        wait = self._last.get(tag, -math.inf) + writes.every - now
        if wait > 0:
            raise RefusedError(
                quality.BAD_TOO_MANY_OPERATIONS,
                f"{tag} was written less than {writes.every:g} s ago: wait {math.ceil(wait * 10) / 10:g} s.",
            )
        self._recent = [moment for moment in self._recent if moment > now - 60]
        if len(self._recent) >= writes.per_minute:
            wait = self._recent[0] + 60 - now
            raise RefusedError(
                quality.BAD_TOO_MANY_OPERATIONS,
                f"The source {self.source!r} takes {writes.per_minute} writes in a minute: wait {wait:.0f} s.",
            )
        self._last[tag] = now
        self._recent.append(now)
