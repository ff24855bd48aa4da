"""From a topic and a JSON message to values of tags. Pure: no network, no clock."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping as Map
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from shopfloor.gateway.mqtt.columns import Columns
from shopfloor.gateway.mqtt.convert import MessageError, loads, value_of
from shopfloor.gateway.mqtt.forms import Form
from shopfloor.gateway.mqtt.options import TopicOptions
from shopfloor.plant import Kind, PathError, TagPath
from shopfloor.plant.contracts import Plant

__all__ = ["Mapping", "MessageError"]
_MOST: Final = 200_000


@dataclass(slots=True)
class _Route:
    """What is known of one topic: the form that fits, its captures, and the tag of each key."""

    form: Form
    names: Map[str, str]
    tags: dict[str, tuple[str, Kind | None]] = field(default_factory=dict)


@dataclass(slots=True)
class Mapping:
    """The forms of message of one source, and what it has learned of the plant's names."""

    plant: Plant
    forms: tuple[Form, ...]
    _routes: dict[bytes, _Route] = field(default_factory=dict)
    _known: int = 0
    _last: int = 0

    @classmethod
    def of(cls, topics: Sequence[TopicOptions], plant: Plant) -> Mapping:
        """A mapping from the options of a source."""
        return cls(plant, tuple(Form.of(options) for options in topics))

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """The topic filters to subscribe to."""
        return tuple(dict.fromkeys(form.subscription for form in self.forms))

    def read(self, topic: bytes, payload: bytes, now: int, into: Columns) -> None:
        """Append the values of one message; `now` (UTC ns) stands in for a missing time, one ns later each time.

        Raises `MessageError` with the reason when the message is no value of this plant; then nothing is appended.
        """
        route = self._routes.get(topic) or self._route(topic)
        message = loads(payload)
        self._last = now = now if now > self._last else self._last + 1
        single = route.form.single
        if single is not None:
            self._one(route, *single(message, now), into)
            return
        rows = route.form.rows(message, now)
        self._last = now + len(rows)
        found = Columns()
        for key, value, time, status in rows:
            self._one(route, value, time, status, found, key)
        into.extend(found)

    def _one(self, route: _Route, value: Any, time: int, status: int, into: Columns, key: str = "") -> None:
        tag, kind = route.tags.get(key) or self._tag(route, key)
        if type(value) is float and value - value == 0 and kind is not Kind.INT and kind is not Kind.TEXT:
            into.float.append(tag, time, value, status)
            return
        number, status = value_of(value, kind, status, numeric=route.form.options.numeric)
        rows = into.float if type(number) is float else into.text if type(number) is str else into.int
        rows.append(tag, time, number, status)

    def _route(self, topic: bytes) -> _Route:
        try:
            text = topic.decode()
        except UnicodeDecodeError as problem:
            raise MessageError("the topic is not UTF-8") from problem
        for form in self.forms:
            match = form.pattern.fullmatch(text)
            if match:
                self._learn()
                route = self._routes[topic] = _Route(form, match.groupdict())
                return route
        raise MessageError("the topic fits no form of the source")

    def _tag(self, route: _Route, key: str) -> tuple[str, Kind | None]:
        path = route.form.options.tag
        for name, value in {**route.names, "key": key}.items():
            path = path.replace(f"{{{name}}}", value)
        if "*" in path:
            path = self._resolve(path)
        try:
            TagPath.parse(path)
        except PathError as problem:
            raise MessageError(f"{path!r} is no tag path") from problem
        tag = self.plant.tag(path)
        self._learn()
        found = route.tags[key] = path, tag.kind if tag else None
        return found

    def _learn(self) -> None:
        """Count what is remembered, and begin anew before a stream of ever new names fills the memory."""
        self._known += 1
        if self._known > _MOST:
            self._known = 0
            self._routes.clear()

    def _resolve(self, path: str) -> str:
        asset, _, name = path.rpartition("/")
        fitting = [str(one.path) for one in self.plant.assets if fnmatch.fnmatchcase(str(one.path), asset)]
        if len(fitting) != 1:
            raise MessageError(f"{len(fitting)} assets of the plant file fit {asset!r}: one was expected")
        return f"{fitting[0]}/{name}"
