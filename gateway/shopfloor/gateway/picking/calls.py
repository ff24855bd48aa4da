"""The calls of the connections page: `browse`, `values` and `entry`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError
from shopfloor.gateway.picking.entry import read, unwritable, written
from shopfloor.gateway.picking.naming import Pick, named
from shopfloor.plant import ConfigError
from shopfloor.plant.config import url_of

Body = Mapping[str, Any]
Part = dict[str, Any]
_MOST: Final = 20_000
_PART: Final = 500
_WATCH_S: Final = 60.0
_LISTEN_S: Final = 5.0
_ANY: Final = "site/area/line/cell/asset"


async def browse(body: Body, folder: Path) -> AsyncGenerator[Part]:
    """What is offered at `url`: `{"nodes": [...]}` in parts.

    OPC UA: `depth` levels below `node` (1 below Objects), at most `most` nodes; then `{"cut": true}` says that there
    are more. MQTT: the topics that are heard within `seconds`.
    """
    count, most = 0, int(body.get("most", _MOST))
    async with aclosing(_offered(body, folder)) as pieces:
        async for rows in pieces:
            for start in range(0, len(rows), _PART):
                yield {"nodes": rows[start : start + _PART]}
            count += len(rows)
            if count >= most:
                yield {"cut": True}
                return


async def _offered(body: Body, folder: Path) -> AsyncGenerator[list[Part]]:
    if _scheme(body) == "opcua":
        from shopfloor.gateway.opcua.explore import offered
        from shopfloor.gateway.opcua.link import connected, explained
        from shopfloor.gateway.opcua.security import Security

        options = _opcua(body)
        async with connected(options, Security(options, folder)) as session:
            found = offered(session, str(body.get("node") or ""), int(body.get("depth", 1)))
            with explained(options.url):
                async with aclosing(found) as pieces:
                    async for rows in pieces:
                        yield rows
    else:
        from shopfloor.gateway.mqtt.explore import offered as topics

        heard = topics(_mqtt(body, ("#",)), float(body.get("seconds", _LISTEN_S)))
        async with aclosing(heard) as pieces:
            async for rows in pieces:
                yield rows


async def values(body: Body, folder: Path) -> AsyncGenerator[Part]:
    """What `nodes` hold now: `{"values": [...]}` every second for a minute; MQTT: as messages come.

    For MQTT, `forms` holds the keys that read each topic's messages, as `browse` proposed them.
    """
    nodes = [str(node) for node in body.get("nodes", ())]
    async with aclosing(_held(body, nodes, folder) if _scheme(body) == "opcua" else _said(body, nodes)) as parts:
        async for rows in parts:
            yield {"values": rows}


async def _held(body: Body, nodes: list[str], folder: Path) -> AsyncGenerator[list[Part]]:
    from shopfloor.gateway.opcua.explore import readings
    from shopfloor.gateway.opcua.link import connected, explained
    from shopfloor.gateway.opcua.security import Security

    options = _opcua(body)
    until = time.monotonic() + _WATCH_S
    async with connected(options, Security(options, folder)) as session:
        while time.monotonic() < until:
            with explained(options.url):
                rows = await readings(session, nodes)
            yield rows
            await asyncio.sleep(1)


async def _said(body: Body, nodes: list[str]) -> AsyncGenerator[list[Part]]:
    from shopfloor.gateway.mqtt.explore import readings

    forms = {node: dict(body.get("forms", {}).get(node) or {}) for node in nodes}
    async with aclosing(readings(_mqtt(body, nodes), forms, _WATCH_S)) as parts:
        async for rows in parts:
            yield rows


async def entry(body: Body, _folder: Path) -> AsyncGenerator[Part]:
    """The source that reads the `picks`: `{"text": YAML, "tags": {id: tag path}, "problems": [sentences]}`.

    A pick has an `id`, its `path`, perhaps a `tag` that somebody gave it, and for MQTT its `form`. They belong to
    `asset`, or each to the one of `assets` (path -> declared tag names) whose name stands in its path. With `text`,
    the other way round: a source that was written before, as `read` answers it.
    """
    if "text" in body:
        yield read(str(body["text"]))
        return
    _scheme(body)
    picks = [
        Pick(str(one["id"]), tuple(one.get("path") or ()), str(one.get("tag") or ""), one.get("form") or {})
        for one in body.get("picks", ())
    ]
    naming = named(picks, str(body.get("asset") or ""), body.get("assets") or {})
    options = {"security": body.get("security"), **(body.get("options") or {})}
    text = written(str(body.get("name") or "source"), str(body["url"]), options, picks, _formed(picks, naming.tags))
    tags = dict(zip((pick.id for pick in picks), naming.tags, strict=True))
    yield {"text": text, "tags": tags, "problems": [*unwritable(picks), *naming.problems]}


def _formed(picks: list[Pick], tags: tuple[str, ...]) -> list[str]:
    """A topic whose message holds many values gives each the name of its key."""
    return [f"{tag}.{{key}}" if pick.form.get("values") else tag for pick, tag in zip(picks, tags, strict=True)]


def _scheme(body: Body) -> str:
    url = str(body.get("url") or "")
    scheme = urlsplit(url).scheme
    if scheme.startswith("modbus"):
        raise ConfigError(
            "A Modbus device cannot be browsed: it has numbered registers without names. List them in YAML."
        )
    if scheme not in {"opc.tcp", "mqtt", "mqtts"}:
        raise ConfigError(f"{url!r} cannot be browsed: write opc.tcp://host:port/path or mqtt://host:port.")
    try:
        url_of(scheme).func(url)  # type: ignore[call-arg]
    except ValueError as problem:
        raise ConfigError(f"{problem}.") from problem
    return "opcua" if scheme == "opc.tcp" else "mqtt"


def _opcua(body: Body) -> Any:
    from shopfloor.gateway.opcua import OpcuaOptions

    if not body.get("security"):
        raise ConfigError("The connection has no 'security': choose a policy, or 'none' by name.")
    options = body.get("options") or {}
    return _checked(OpcuaOptions, {**options, "url": body["url"], "security": body["security"], "everything": _ANY})


def _mqtt(body: Body, topics: tuple[str, ...] | list[str]) -> Any:
    from shopfloor.gateway.mqtt import MqttOptions

    listening = {"client_id": f"shopfloor-browse-{time.time_ns():x}", "qos": 0}
    forms = [{"topic": topic, "tag": f"{_ANY}/tag"} for topic in topics]
    return _checked(MqttOptions, {**(body.get("options") or {}), "url": body["url"], "topics": forms, **listening})


def _checked(model: type[BaseModel], given: Mapping[str, Any]) -> BaseModel:
    try:
        return model.model_validate(given)
    except ValidationError as problem:
        first = problem.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        said = str(first["msg"]).removeprefix("Value error, ")
        raise ConfigError(f"{f'{where}: ' if where else ''}{said}.") from problem
