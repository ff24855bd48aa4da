"""From picks to the entry of a source, as it stands in the plant file: the one text that is shown, saved and shared."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import yaml
from shopfloor.gateway.picking.naming import Pick
from shopfloor.plant.config.document import bare

_PLAIN: Final = re.compile(r"[^\W_][\w./=;~-]*|[a-z][a-z.+]*://[\w./:-]+")
_VARIABLE: Final = "${"
_OWN: Final = frozenset({"name", "kind", "url", "nodes", "topics", "assets", "tags", "everything"})


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
    name: press
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
    lines = [f"{key}: {scalar(value)}" for key, value in head.items()]
    lines.append("nodes:" if opcua else "topics:")
    for pick, tag in zip(picks, tags, strict=True):
        row = {"node": pick.id, "tag": tag} if opcua else _topic(pick, tag)
        lines.append(f"  - {{{', '.join(f'{key}: {scalar(value)}' for key, value in row.items())}}}")
    return "\n".join(lines) + "\n"


def _topic(pick: Pick, tag: str) -> dict[str, Any]:
    return {"topic": pick.id, "tag": tag} | {key: pick.form[key] for key in _FORM if pick.form.get(key)}


_FORM: Final = ("values", "value", "time", "quality")


def unwritable(picks: Iterable[Pick]) -> list[str]:
    """A sentence for each pick whose id a plant file cannot carry: `${` names an environment variable there."""
    return [
        f"{pick.id!r} holds '${{', which names an environment variable in a plant file: it cannot be picked."
        for pick in picks
        if _VARIABLE in pick.id
    ]


def listed(text: str) -> str:
    r"""The text of a source as an item of `sources` in a plant file.

    >>> listed("name: press\nkind: opcua\n")
    'sources:\n  - name: press\n    kind: opcua\n'
    """
    first, *rest = text.splitlines()
    return "\n".join(["sources:", f"  - {first}", *(f"    {line}" for line in rest)]) + "\n"
