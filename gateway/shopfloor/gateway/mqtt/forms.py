"""One form of message, compiled: from JSON to rows of (key, value, time, quality)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shopfloor.gateway.mqtt.convert import MessageError, duration_of, quality_of, time_of, word
from shopfloor.gateway.mqtt.options import TopicOptions, captured
from shopfloor.gateway.mqtt.paths import ABSENT, Path
from shopfloor.plant import quality
from shopfloor.plant.config import duration

Row = tuple[str, Any, int, int]
Reader = Callable[[Any, Any, int], Any]
"""From the message, one of its samples and the sample's number to a part of it."""
Single = Callable[[Any, int], tuple[Any, int, int]]
"""From a message, and the time now (UTC ns), to its value, time and quality."""
Clock = Callable[[Any, Any, int, int], int]
"""The same, with the time now (UTC ns), to the time of a sample."""


@dataclass(frozen=True, slots=True)
class Form:
    """How the messages of some topics are read; `rows` takes a message and the time now (UTC ns).

    `single` is there where a message is one value of one tag, and does the same with less ado.
    """

    options: TopicOptions
    pattern: re.Pattern[str]
    subscription: str
    rows: Callable[[Any, int], list[Row]]
    single: Single | None

    @classmethod
    def of(cls, options: TopicOptions) -> Form:
        """Compile a form."""
        levels = options.topic.split("/")
        pattern = "/".join(re.sub(r"\\\{([a-z_]+)\\\}", r"(?P<\1>[^/]+)", re.escape(level)) for level in levels)
        subscription = "/".join("+" if captured(level) else level for level in levels)
        return cls(options, re.compile(pattern), subscription, _rows(options), _single(options))


def _rows(options: TopicOptions) -> Callable[[Any, int], list[Row]]:
    samples, sample = options.path("samples"), _sample(options)
    if samples is None:
        return lambda message, now: sample(message, message, 0, "", now)

    def rows(message: Any, now: int) -> list[Row]:
        found: list[Row] = []
        for n, (name, item) in enumerate(samples.every(message)):
            if item is ABSENT:
                raise _missing(samples)
            found += sample(message, item, n, name, now)
        return found

    return rows


def _single(options: TopicOptions) -> Single | None:
    if options.samples is not None or options.values is not None or options.key is not None:
        return None
    path, when, unit = options.path("value"), options.path("time"), options.time_unit
    judge = None if options.quality is None else _judge(options)

    def single(message: Any, now: int) -> tuple[Any, int, int]:
        found = message if path is None else path.get(message)
        if found is ABSENT and path is not None:
            raise _missing(path)
        given = None if when is None else when.get(message)
        time = now if given is None or given is ABSENT else time_of(given, unit)
        return found, time, quality.GOOD if judge is None else judge(message, message, 0)

    return single


def _sample(options: TopicOptions) -> Callable[[Any, Any, int, str, int], list[Row]]:
    time, judge, values = _clock(options), _judge(options), options.path("values")
    value, key = _needed(options.path("value")), _name(options.path("key"))

    def one(message: Any, sample: Any, n: int, name: str, now: int) -> list[Row]:
        found = sample if value is None else value(message, sample, n)
        name = name if key is None else key(message, sample, n)
        return [(name, found, time(message, sample, n, now), judge(message, sample, n))]

    if values is None:
        return one
    members = _object(values)

    def several(message: Any, sample: Any, n: int, _name: str, now: int) -> list[Row]:
        moment, status = time(message, sample, n, now), judge(message, sample, n)
        return [(name, found, moment, status) for name, found in members(message, sample, n).items()]

    return several


def _reader(path: Path) -> Reader:
    get = path.get
    if path.wild:
        return lambda message, sample, n: path.nth(message if path.rooted else sample, n)
    if path.rooted:
        return lambda message, _sample, _n: get(message)
    return lambda _message, sample, _n: get(sample)


def _needed(path: Path | None) -> Reader | None:
    if path is None:
        return None
    read = _reader(path)

    def needed(message: Any, sample: Any, n: int) -> Any:
        found = read(message, sample, n)
        if found is ABSENT:
            raise _missing(path)
        return found

    return needed


def _object(path: Path) -> Callable[[Any, Any, int], dict[str, Any]]:
    read = _needed(path)
    assert read is not None  # noqa: S101 (there is a path)

    def members(message: Any, sample: Any, n: int) -> dict[str, Any]:
        found = read(message, sample, n)
        if not isinstance(found, dict):
            raise MessageError(f"{path.text!r} is {word(found)}: an object of tags was expected")
        return found

    return members


def _name(path: Path | None) -> Callable[[Any, Any, int], str] | None:
    read = _needed(path)
    if path is None or read is None:
        return None

    def name(message: Any, sample: Any, n: int) -> str:
        found = read(message, sample, n)
        if isinstance(found, bool) or not isinstance(found, str | int):
            raise MessageError(f"{path.text!r} is {word(found)}: a text that names the tag was expected")
        return str(found)

    return name


def _clock(options: TopicOptions) -> Clock:
    path, unit, shift = options.path("time"), options.time_unit, _shift(options)
    read = None if path is None else _reader(path)

    def base(message: Any, sample: Any, n: int, now: int) -> int:
        value = None if read is None else read(message, sample, n)
        return now + n if value is None or value is ABSENT else time_of(value, unit)

    if shift is None:
        return base

    def shifted(message: Any, sample: Any, n: int, now: int) -> int:
        time = base(message, sample, n, now) + shift(message, sample, n)
        if not 0 <= time < 2**63:
            raise MessageError(f"the time of sample {n} lies before 1970 or after 2262")
        return time

    return shifted


def _shift(options: TopicOptions) -> Callable[[Any, Any, int], int] | None:
    unit, period = options.offset_unit, options.period
    if period is not None and not period.startswith("$"):
        step = round(duration(period) * 1e9)
        return lambda _message, _sample, n: n * step
    read = _needed(options.path("offset" if period is None else "period"))
    if read is None:
        return None
    if period is None:
        return lambda message, sample, n: duration_of(read(message, sample, n), unit)
    return lambda message, sample, n: duration_of(read(message, sample, n), unit) * n


def _judge(options: TopicOptions) -> Callable[[Any, Any, int], int]:
    path = options.path("quality")
    if path is None:
        return lambda _message, _sample, _n: quality.GOOD
    read, known = _reader(path), _statuses(options)

    def judge(message: Any, sample: Any, n: int) -> int:
        value = read(message, sample, n)
        return quality.GOOD if value is ABSENT else quality_of(value, known)

    return judge


def _statuses(options: TopicOptions) -> dict[str, int]:
    known = {
        said: quality.of_name(meant) if isinstance(meant, str) else meant for said, meant in options.qualities.items()
    }
    return {said: status for said, status in known.items() if status is not None}


def _missing(path: Path) -> MessageError:
    return MessageError(f"the message has no key {path.text!r}")
