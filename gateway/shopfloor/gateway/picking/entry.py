"""From picks to the entry of a source, as it stands in the plant file: the one text that is shown, saved and shared."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import yaml
from shopfloor.gateway.picking.naming import Pick
from shopfloor.plant import ConfigError
from shopfloor.plant.config.document import bare, parse

_PLAIN: Final = re.compile(r"[^\W_][\w./=;~-]*|[a-z][a-z.+]*://[\w./:-]+")
_VARIABLE: Final = "${"
_OWN: Final = frozenset({"name", "kind", "url", "nodes", "topics"})


def scalar(value: Any) -> str:
    """One value in YAML: plain where that is safe, in double quotes otherwise.

    >>> scalar("ns=2;s=CNC-1.Power"), scalar("on: off"), scalar("01"), scalar(True)
    ('ns=2;s=CNC-1.Power', '"on: off"', '01', 'true')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return str(value)
    if _PLAIN.fullmatch(value) and isinstance(bare(value), str):
        return value
    return str(yaml.safe_dump(value, default_style='"', allow_unicode=True, width=10**9)).rstrip("\n")


def written(name: str, url: str, options: Mapping[str, Any], picks: Sequence[Pick], tags: Sequence[str]) -> str:
    """The text of one source; `options` are further keys of its kind, in their order.

    >>> print(written("press", "opc.tcp://plc:4840", {"security": "none"}, [Pick("ns=2;i=7", ())], ["s/a/l/c/p/force"]))
    sources:
      - name: press
        kind: opcua
        url: opc.tcp://plc:4840
        security: none
        nodes:
          - {node: ns=2;i=7, tag: s/a/l/c/p/force}
    <BLANKLINE>
    """
    opcua = url.startswith("opc.tcp:")
    head = {"name": name, "kind": "opcua" if opcua else "mqtt", "url": url}
    head |= {key: value for key, value in options.items() if key not in _OWN and value not in (None, "")}
    first, *lines = [f"{key}: {flow(value)}" for key, value in head.items()]
    lines.append(f"{'nodes' if opcua else 'topics'}:{'' if picks else ' []'}")
    for pick, tag in zip(picks, tags, strict=True):
        lines.append(f"  - {flow({'node': pick.id, 'tag': tag} if opcua else _topic(pick, tag))}")
    return "\n".join(["sources:", f"  - {first}", *(f"    {line}" for line in lines)]) + "\n"


def flow(value: Any) -> str:
    """Any plain value on one line.

    >>> flow({"allow": ["a/*", 1.5]})
    '{allow: ["a/*", 1.5]}'
    """
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{scalar(key)}: {flow(item)}' for key, item in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(flow, value))}]"
    return scalar(value)


def _topic(pick: Pick, tag: str) -> dict[str, Any]:
    return {"topic": pick.id, "tag": tag} | {key: value for key, value in pick.form.items() if key not in _ROW}


_ROW: Final = frozenset({"topic", "tag"})


def unwritable(picks: Iterable[Pick]) -> list[str]:
    """A sentence for each pick whose id a plant file cannot carry: `${` names an environment variable there."""
    return [
        f"{pick.id!r} holds '${{', which names an environment variable in a plant file: it cannot be picked."
        for pick in picks
        if _VARIABLE in pick.id
    ]


def read(text: str) -> dict[str, Any]:
    """A written source as it can be picked further: name, url, security, options, picks; `ConfigError` when it is none.

    Sources that name their variables by `assets` and `tags`, or take everything, have no picks: `options` holds those.

    >>> topics = "[{topic: x/y, tag: s/a/l/c/p/t, value: v}]"
    >>> found = read(f"sources: [{{name: a, kind: mqtt, url: mqtt://h, topics: {topics}}}]")
    >>> found["name"], found["picks"]
    ('a', [{'id': 'x/y', 'path': ['x', 'y'], 'tag': 's/a/l/c/p/t', 'form': {'value': 'v'}}])
    """
    data = parse(text, "text", {}).data
    sources = data.get("sources") if isinstance(data, dict) else None
    if not isinstance(sources, list) or len(sources) != 1 or not isinstance(sources[0], dict):
        raise ConfigError("The text has to hold 'sources:' with one source: take the others out.")
    source = dict(sources[0])
    rows = [row for key in ("nodes", "topics") for row in source.pop(key, None) or () if isinstance(row, dict)]
    name, _, url, security = (source.pop(key, "") for key in ("name", "kind", "url", "security"))
    return {"name": name, "url": url, "security": security, "options": source, "picks": [_pick(row) for row in rows]}


def _pick(row: Mapping[str, Any]) -> dict[str, Any]:
    tag = str(row.get("tag") or "")
    if "node" in row:
        return {"id": row["node"], "path": [], "tag": tag, "form": {}}
    topic = str(row.get("topic") or "")
    form = {key: value for key, value in row.items() if key not in {"topic", "tag"}}
    return {"id": topic, "path": topic.split("/"), "tag": tag.removesuffix(".{key}"), "form": form}
