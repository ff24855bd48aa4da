"""What a broker carries, for people who pick: topics as they are heard, and how their messages can be read."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, Final

from shopfloor.gateway.mqtt.options import MqttOptions
from shopfloor.gateway.mqtt.source import listen
from shopfloor.plant import quality

Row = dict[str, Any]
_LOOK_S: Final = 0.3
_LONGEST: Final = 80
_VALUES: Final = ("values", "metrics", "data")
_VALUE: Final = ("value", "v", "val")
_TIME: Final = ("time", "timestamp", "ts", "t")
_QUALITY: Final = ("quality", "q")


async def heard(options: MqttOptions, seconds: float) -> AsyncGenerator[dict[str, bytes]]:
    """The newest message of each topic that has changed, every 0.3 s while listening."""
    newest: dict[str, bytes] = {}
    told: dict[str, bytes] = {}
    listening = asyncio.create_task(listen(options, seconds, newest), name="listen")
    try:
        while not listening.done():
            await asyncio.wait([listening], timeout=_LOOK_S)
            fresh = {topic: payload for topic, payload in newest.items() if told.get(topic) is not payload}
            told |= fresh
            yield fresh
        listening.result()
    finally:
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening


async def offered(options: MqttOptions, seconds: float) -> AsyncGenerator[list[Row]]:
    """The topics, once each, as they are heard; the levels above them are in their path."""
    seen: set[str] = set()
    async with aclosing(heard(options, seconds)) as changes:
        async for fresh in changes:
            rows = [_row(topic, payload) for topic, payload in fresh.items() if topic not in seen]
            seen |= fresh.keys()
            if rows:
                yield rows


async def readings(
    options: MqttOptions, forms: Mapping[str, Mapping[str, Any]], seconds: float
) -> AsyncGenerator[list[Row]]:
    """What the newest messages on some topics say: id, value, quality, quality_name, time of arrival (ms)."""
    async with aclosing(heard(options, seconds)) as changes:
        async for fresh in changes:
            rows = [_reading(topic, payload, forms[topic]) for topic, payload in fresh.items() if topic in forms]
            if rows:
                yield rows


def form(message: Any) -> dict[str, str]:
    """The keys of a topic's entry in the plant file that read such a message: value or values, time, quality.

    >>> form({"v": 1.5, "ts": 1764000000})
    {'value': 'v', 'time': 'ts'}
    >>> form({"values": {"flow": 2}}), form(3.5)
    ({'values': 'values'}, {})
    """
    if not isinstance(message, dict):
        return {}
    found: dict[str, str] = {}
    many = next((key for key in _VALUES if isinstance(message.get(key), dict)), None)
    one = next((key for key in _VALUE if _is_scalar(message.get(key))), None)
    if many:
        found["values"] = many
    elif one:
        found["value"] = one
    else:
        found["values"] = "$"
    for word, keys in (("time", _TIME), ("quality", _QUALITY)):
        key = next((key for key in keys if _is_scalar(message.get(key))), None)
        if key:
            found[word] = key
    return found


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int | float)


def _row(topic: str, payload: bytes) -> Row:
    levels = tuple(topic.split("/"))
    message = _message(payload)
    return {
        "id": topic,
        "parent": "",
        "name": levels[-1],
        "path": levels,
        "kind": "variable",
        "type": _type(message),
        "children": False,
        "writable": False,
        "property": False,
        "form": form(message),
        "value": message if _is_scalar(message) else _cut(message),
    }


def _reading(topic: str, payload: bytes, keys: Mapping[str, Any]) -> Row:
    message = _message(payload)
    value = message.get(keys["value"]) if isinstance(message, dict) and keys.get("value") else message
    status = quality.BAD if value is None else quality.GOOD
    return {
        "id": topic,
        "value": float(value) if isinstance(value, bool) else value if _is_scalar(value) else _cut(value),
        "quality": status,
        "quality_name": quality.name(status),
        "time": time.time() * 1e3,
    }


def _message(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except ValueError:
        return payload.decode("utf-8", "replace")


def _type(message: Any) -> str:
    words = {dict: "Object", list: "Array", str: "String", bool: "Boolean", type(None): "Null"}
    return words.get(type(message), "Number")


def _cut(value: Any) -> str | None:
    if value is None:
        return None
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
