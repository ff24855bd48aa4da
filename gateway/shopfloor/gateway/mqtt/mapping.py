"""From a topic and a JSON message to values of tags. Pure: no network, no clock."""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from shopfloor.gateway.mqtt.options import TopicOptions, captured
from shopfloor.plant import Kind, PathError, Sample, ShopfloorError, TagPath, quality
from shopfloor.plant.contracts import Plant

_BAD: Final = float("nan")


class MessageError(ShopfloorError, ValueError):
    """A message that is no value: counted and shown, not stored."""


@dataclass(frozen=True, slots=True)
class _Form:
    options: TopicOptions
    pattern: re.Pattern[str]
    subscription: str

    @classmethod
    def of(cls, options: TopicOptions) -> _Form:
        levels = options.topic.split("/")
        pattern = "/".join(re.sub(r"\\\{([a-z_]+)\\\}", r"(?P<\1>[^/]+)", re.escape(level)) for level in levels)
        subscription = "/".join("+" if captured(level) else level for level in levels)
        return cls(options, re.compile(pattern), subscription)


@dataclass(slots=True)
class Mapping:
    """The forms of message of one source, and what it has learned of the plant's names."""

    plant: Plant
    forms: tuple[_Form, ...]
    _matches: dict[str, tuple[TopicOptions, dict[str, str]]] = field(default_factory=dict)
    _tags: dict[tuple[str, str], tuple[str, Kind | None]] = field(default_factory=dict)

    @classmethod
    def of(cls, topics: Sequence[TopicOptions], plant: Plant) -> Mapping:
        """A mapping from the options of a source."""
        return cls(plant, tuple(_Form.of(options) for options in topics))

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """The topic filters to subscribe to."""
        return tuple(dict.fromkeys(form.subscription for form in self.forms))

    def read(self, topic: str, payload: bytes, now: int) -> list[Sample]:
        """The values of one message; `now` (UTC ns) stands in for a missing time.

        Raises `MessageError` with the reason when the message is no value of this plant.
        """
        options, names = self._match(topic)
        message = _loads(payload)
        time = now if options.time is None else _time(_inside(message, options.time), now)
        status = 0 if options.quality is None else _quality(_inside(message, options.quality))
        if options.values is None:
            value = message if options.value is None else _present(message, options.value)
            return [self._sample(options, names, topic, "", value, time, status)]
        values = _present(message, options.values)
        if not isinstance(values, dict):
            raise MessageError(f"{options.values!r} is {_word(values)}: an object of tags was expected")
        return [self._sample(options, names, topic, key, value, time, status) for key, value in values.items()]

    def _match(self, topic: str) -> tuple[TopicOptions, dict[str, str]]:
        found = self._matches.get(topic)
        if found is None:
            found = next(self._fitting(topic), None)
            if found is None:
                raise MessageError("the topic fits no form of the source")
            self._matches[topic] = found
        return found

    def _fitting(self, topic: str) -> Iterator[tuple[TopicOptions, dict[str, str]]]:
        for form in self.forms:
            match = form.pattern.fullmatch(topic)
            if match:
                yield form.options, match.groupdict()

    def _sample(
        self, options: TopicOptions, names: dict[str, str], topic: str, key: str, value: Any, time: int, status: int
    ) -> Sample:
        known = self._tags.get((topic, key))
        if known is None:
            known = self._tags[topic, key] = self._tag(options, {**names, "key": key} if key else names)
        tag, kind = known
        number, status = _convert(value, kind, status)
        return Sample(tag, time, number, status)

    def _tag(self, options: TopicOptions, names: dict[str, str]) -> tuple[str, Kind | None]:
        path = options.tag
        for name, value in names.items():
            path = path.replace(f"{{{name}}}", value)
        if "*" in path:
            path = self._resolve(path)
        try:
            TagPath.parse(path)
        except PathError as problem:
            raise MessageError(f"{path!r} is no tag path") from problem
        tag = self.plant.tag(path)
        return path, tag.kind if tag else None

    def _resolve(self, path: str) -> str:
        asset, _, name = path.rpartition("/")
        fitting = [str(one.path) for one in self.plant.assets if fnmatch.fnmatchcase(str(one.path), asset)]
        if len(fitting) != 1:
            raise MessageError(f"{len(fitting)} assets of the plant file fit {asset!r}: one was expected")
        return f"{fitting[0]}/{name}"


def _loads(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except (ValueError, RecursionError) as problem:
        raise MessageError(f"{payload[:40]!r} is no JSON") from problem


def _inside(message: Any, key: str) -> Any:
    for part in key.split("."):
        if not isinstance(message, dict):
            return None
        message = message.get(part)
    return message


def _present(message: Any, key: str) -> Any:
    *way, last = key.split(".")
    holder = _inside(message, ".".join(way)) if way else message
    if not isinstance(holder, dict) or last not in holder:
        raise MessageError(f"the message has no key {key!r}")
    return holder[last]


def _time(value: Any, now: int) -> int:
    if value is None:
        return now
    if isinstance(value, str):
        return _iso(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e16:
        raise MessageError(f"the time {value!r} is neither seconds nor ms since 1970 nor ISO 8601")
    unit = 1_000_000 if value >= 1e11 else 1_000_000_000
    return value * unit if isinstance(value, int) else round(value * unit)


def _iso(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as problem:
        raise MessageError(f"the time {text!r} is not ISO 8601") from problem
    delta = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    return ((delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds) * 1_000


def _quality(value: Any) -> int:
    if value is None:
        return quality.GOOD
    if isinstance(value, str):
        status = quality.of_name(value)
        if status is not None:
            return status
    elif isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**32:
        return value
    raise MessageError(f"the quality {value!r} is neither good, uncertain or bad nor a StatusCode")


def _convert(value: Any, kind: Kind | None, status: int) -> tuple[float | int | str, int]:
    if value is None:
        return _empty(kind), status if status >> 31 else quality.BAD
    if kind is Kind.TEXT:
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), status
    if isinstance(value, str) and kind is None:
        return value, status
    if isinstance(value, dict | list):
        raise MessageError(f"the value is {_word(value)}: a number, a text or a boolean was expected")
    try:
        return _number(value, kind), status
    except (ValueError, OverflowError):
        return _empty(kind), status if status >> 31 else quality.BAD_TYPE_MISMATCH


def _number(value: Any, kind: Kind | None) -> float | int:
    if kind is not Kind.INT:
        return float(value)
    number = int(value)
    if number != value and not isinstance(value, str):
        raise ValueError("not whole")
    if abs(number) >= 2**63:
        raise OverflowError("too large for int64")
    return number


def _empty(kind: Kind | None) -> float | int | str:
    if kind is Kind.TEXT:
        return ""
    return 0 if kind is Kind.INT else _BAD


def _word(value: Any) -> str:
    words = {dict: "an object", list: "an array", str: "a text", bool: "a boolean", type(None): "null"}
    return words.get(type(value), "a number")
