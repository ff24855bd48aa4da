"""MQTT, step by step: encryption, the broker's welcome, the subscription, messages, and what is in them."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from pydantic import ValidationError
from shopfloor.gateway.doctor.finding import Finding, State, Stuck, Subject, failed, note, ok
from shopfloor.gateway.doctor.mqtt_trouble import broken, encryption, refused
from shopfloor.gateway.doctor.mqtt_visit import Visit
from shopfloor.gateway.doctor.speech import stranger
from shopfloor.gateway.mqtt import access, wire
from shopfloor.gateway.mqtt.columns import Columns
from shopfloor.gateway.mqtt.mapping import Mapping, MessageError
from shopfloor.gateway.mqtt.options import MqttOptions
from shopfloor.gateway.mqtt.wire import V5, V311, Hello
from shopfloor.plant import SourceLost
from shopfloor.plant.counted import counted

_ALL: Final = [{"topic": "#", "tag": "site/area/line/cell/asset/tag"}]
_ENOUGH: Final = 20


class MqttExaminer:
    """The steps of an MQTT connection."""

    steps: ClassVar[tuple[str, ...]] = ("encryption", "broker", "subscription", "messages", "content")

    async def examine(self, subject: Subject) -> AsyncGenerator[Finding]:
        """Walk them with a name of our own, so that a running gateway keeps its session."""
        options = _options(subject)
        visit = Visit(subject, options, V311 if options.version == "3.1.1" else V5)
        try:
            yield await _encrypted(visit)
            yield await _welcome(visit)
            yield await _subscribed(visit)
            yield await _messages(visit)
            yield _content(visit)
        except (wire.WireError, OSError) as problem:
            raise Stuck(await stranger(subject, "broker", silent=False)) from problem
        finally:
            await visit.leave()


EXAMINER: Final = MqttExaminer()


def _options(subject: Subject) -> MqttOptions:
    wanted: dict[str, Any] = {"url": subject.url, "topics": _ALL, **subject.options}
    try:
        return MqttOptions.model_validate(wanted)
    except ValidationError as problem:
        why = problem.errors()[0]["msg"].removeprefix("Value error, ")
        raise Stuck(
            failed("encryption", "options", f"The options do not fit together: {why}", "correct them")
        ) from problem


async def _encrypted(visit: Visit) -> Finding:
    try:
        context = access.tls(visit.options)
    except SourceLost as problem:
        why, _, fix = str(problem).partition(": ")
        raise Stuck(failed("encryption", "tls-files", why, fix or "check the file")) from problem
    try:
        await visit.dial(context)
    except OSError as problem:
        raise Stuck(await encryption(visit.subject, problem)) from problem
    if context is None and visit.options.user is None:
        return Finding("encryption", State.SKIPPED, "Not asked for by mqtt://.")
    if context is None:
        why = "The connection is not encrypted: everybody on the network can read the values and the password"
        fix = "write mqtts:// and the broker's encrypted port, usually 8883"
        return note("encryption", "not-encrypted", why, fix)
    return ok("encryption", "The broker's certificate is trusted, and is for this host.")


async def _welcome(visit: Visit) -> Finding:
    options, code = visit.options, -1
    try:
        body = await visit.ask(wire.connect(_hello(visit), visit.version), wire.CONNACK)
    except TimeoutError as problem:
        raise Stuck(await stranger(visit.subject, "broker", silent=True)) from problem
    except OSError as problem:
        raise Stuck(await broken(visit.subject, access.tls(options))) from problem
    if body is not None:
        code = body[1]
    if options.version == "auto" and visit.version == V5 and (body is None or code in {0x01, 0x84}):
        return await _older(visit)
    if body is None:
        raise Stuck(await broken(visit.subject, access.tls(options)))
    if code:
        raise Stuck(refused(visit.subject, options, code, visit.version))
    return ok("broker", f"The broker welcomes this client (MQTT {'5' if visit.version == V5 else '3.1.1'}).")


async def _older(visit: Visit) -> Finding:
    """The same with version 3.1.1, which some brokers speak only."""
    await visit.leave()
    visit.version = V311
    await visit.dial(access.tls(visit.options))
    return await _welcome(visit)


def _hello(visit: Visit) -> Hello:
    options = visit.options
    name = f"{options.client_id or 'shopfloor'}-doctor-{secrets.token_hex(2)}"
    try:
        password = access.password(options)
    except SourceLost as problem:
        raise Stuck(failed("broker", "password-file", str(problem).rstrip("."), "check the file")) from problem
    return Hello(name, user=options.user, password=password)


async def _subscribed(visit: Visit) -> Finding:
    topics = _topics(visit)
    try:
        body = await visit.ask(wire.subscribe(1, topics, 0, visit.version), wire.SUBACK)
    except TimeoutError as problem:
        why = "The broker does not answer a subscription"
        raise Stuck(failed("subscription", "subscription-silent", why, "look at its load and its log")) from problem
    codes = b"" if body is None else body[wire.properties(body, 2)[1] if visit.version == V5 else 2 :]
    denied = [topic for topic, code in zip(topics, codes, strict=False) if code >= 0x80]
    if denied or len(codes) != len(topics):
        why = f"The broker does not let this user listen to {(denied or topics)[0]}"
        fix = "give the user the right to read this topic at the broker, or correct the topic"
        raise Stuck(failed("subscription", "subscription-refused", why, fix))
    return ok("subscription", f"Listening to {', '.join(topics[:3])}{' …' if len(topics) > 3 else ''}.")


def _topics(visit: Visit) -> list[str]:
    return list(Mapping.of(visit.options.topics, visit.subject.plant or _NOWHERE).subscriptions)


async def _messages(visit: Visit) -> Finding:
    messages, seconds = visit.messages, visit.subject.seconds
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while _fresh(visit) < _ENOUGH and await visit.listen():
                pass
    if _fresh(visit):
        return ok("messages", f"{counted(_fresh(visit), 'message')} came within {seconds:g} s.")
    if messages:
        why = f"Only messages that the broker had kept came ({len(messages)}), no new one within {seconds:g} s"
        return note("messages", "only-retained", why, "check that the device runs and publishes")
    why = f"No message came on {', '.join(_topics(visit)[:3])} within {seconds:g} s"
    fix = "check that the device publishes, the spelling of the topic, and this user's right to read it"
    raise Stuck(failed("messages", "no-message", why, fix))


def _fresh(visit: Visit) -> int:
    return sum(not message.kept for message in visit.messages)


def _content(visit: Visit) -> Finding:
    mapping = Mapping.of(visit.options.topics, visit.subject.plant or _NOWHERE)
    for message in visit.messages:
        name, payload = message.topic.decode(errors="replace"), message.payload
        try:
            json.loads(payload)
        except ValueError:
            why = f"The message on {name} is no JSON: it begins with {payload[:20]!r}"
            return failed("content", "no-json", why, "let the device send JSON, or leave the topic out")
        try:
            if visit.subject.mapped:
                mapping.read(message.topic, payload, time.time_ns(), Columns())
        except MessageError as problem:
            why = f"The message on {name} does not fit the plant file: {problem}"
            return failed("content", "does-not-fit", why, "correct the topic, the paths or the tag of the source")
    return ok("content", f"{counted(len(visit.messages), 'message was', 'messages were')} understood.")


@dataclass(frozen=True, slots=True)
class _Nowhere:
    """The plant of an examination without a plant file: it knows no names."""

    assets: tuple[Any, ...] = ()

    def tag(self, _path: str) -> None:
        """No tag is declared."""


_NOWHERE: Final = _Nowhere()
