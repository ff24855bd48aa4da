"""Errands about the configuration: show it, say what a text would change, keep a connection, remove one."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any, Protocol

from shopfloor.gateway.connections import Connections, one_source
from shopfloor.gateway.errands import Handler, page_files
from shopfloor.gateway.registry import connector
from shopfloor.gateway.sources import Sources, difference
from shopfloor.plant import ConfigError
from shopfloor.plant.config import PlantConfig, SourceConfig, options

Part = dict[str, Any]


class Following(Protocol):
    """The configuration in force."""

    connections: Connections
    sources: Sources
    plant: PlantConfig
    sentence: str

    async def reload(self) -> None:
        """Take up what the files say now."""
        ...


def handlers(configuration: Following) -> dict[str, Handler]:
    """Handlers by the kind of errand."""
    connections = configuration.connections

    def _written(name: str) -> Part | None:
        source = configuration.plant.source(name)
        return _shown(connections, source) if source else None

    async def show(_body: Part) -> AsyncGenerator[Part, None]:
        yield {"connections": [_shown(connections, source) for source in configuration.plant.sources]}

    async def check(body: Part) -> AsyncGenerator[Part, None]:
        try:
            yield {"ok": True, **_effect(configuration.plant, _checked(_text(body), connections), connections)}
        except ConfigError as problem:
            yield {"problems": str(problem).splitlines()}

    async def save(body: Part) -> AsyncGenerator[Part, None]:
        text = _text(body)
        source = _checked(text, connections)
        _effect(configuration.plant, source, connections)
        before = _written(source.name)
        connections.save(text)
        await configuration.reload()
        done = {"saved": True, "name": source.name, "text": text, "sentence": configuration.sentence}
        yield {**done, "before": before, "after": _written(source.name)}

    async def remove(body: Part) -> AsyncGenerator[Part, None]:
        before = _written(name := str(body.get("name", "")))
        connections.remove(name)
        await configuration.reload()
        yield {"removed": True, "sentence": configuration.sentence, "before": before, "after": _written(name)}

    return {"connections": show, "check": check, "save": save, "remove": remove}


def _shown(connections: Connections, source: SourceConfig) -> Part:
    made_here = connections.is_made_here(source.name)
    return {
        "name": source.name,
        "kind": source.kind,
        "origin": "page" if made_here else "plant file",
        "editable": made_here,
        "text": connections.text(source),
    }


def _text(body: Part) -> str:
    text = body.get("text")
    if not isinstance(text, str):
        raise ConfigError("'text' is missing: send the connection as YAML, as in a plant file.")
    return text


def _checked(text: str, connections: Connections) -> SourceConfig:
    """The source of a text from a page: it opens no way to write, and names no file but those put there for pages."""
    source = one_source(text)
    if "writes" in source.given:
        raise ConfigError(
            f"The source {source.name!r} has 'writes': what may be written is decided in {connections.plant_file.name}."
        )
    page_files.check(source.given, connections.data)
    options(source, connector(source.kind).options)
    return source


def _effect(plant: PlantConfig, source: SourceConfig, connections: Connections) -> Part:
    """What a source would change, and the tags that it names; one of the plant file cannot be replaced here."""
    known = plant.source(source.name)
    if known is not None and not connections.is_made_here(source.name):
        raise ConfigError(
            f"The source {source.name!r} stands in {connections.plant_file.name}: change it there, or use another name."
        )
    others = tuple(one for one in plant.sources if one.name != source.name)
    change = difference(plant.sources, replace(plant, sources=(*others, source)).sources)
    return {
        "name": source.name,
        "adds": len(change.adds),
        "changes": len(change.changes),
        "removes": len(change.removes),
        "keeps": len(change.keeps),
        "tags": _tags(source),
    }


def _tags(source: SourceConfig) -> list[str]:
    nodes = source.given.get("nodes", ())
    return [str(node["tag"]) for node in nodes if isinstance(node, dict) and "tag" in node]
