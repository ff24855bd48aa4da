"""From group, node, device and metric to the tag of an asset. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from shopfloor.gateway.sparkplug.options import SparkplugOptions
from shopfloor.plant import TagPath

_FORBIDDEN: Final = re.compile(r"[#+\s\x00-\x1f]+")
_CONTROL: Final = re.compile(r"(Node|Device) Control/")
_LEVEL: Final = re.compile(r"\\\{([a-z_]+)\\\}")


def tag_name(metric: str) -> str:
    """A metric's name as a tag's name.

    >>> tag_name("Inputs/Zone 1/Temp #2")
    'Inputs.Zone_1.Temp_2'
    """
    return _FORBIDDEN.sub("_", metric).strip("_").replace("/", ".")


@dataclass(slots=True)
class Names:
    """What a source calls the metrics of its nodes."""

    patterns: tuple[tuple[re.Pattern[str], str], ...]
    nodes: tuple[re.Pattern[str], ...]
    tags: Mapping[str, str]
    _assets: dict[str, str | None] = field(default_factory=dict)

    @classmethod
    def of(cls, options: SparkplugOptions) -> Names:
        """The names that the options give."""
        patterns = tuple((_pattern(address), asset) for address, asset in options.rows.items())
        nodes = dict.fromkeys("/".join(address.split("/")[:2]) for address in options.rows)
        return cls(patterns, tuple(map(_pattern, nodes)), options.tags)

    def of_node(self, address: str) -> bool:
        """Whether anything of the edge node `group/node` is asked for."""
        return any(pattern.fullmatch(address) for pattern in self.nodes)

    def may_be(self, tag: str) -> bool:
        """Whether a metric can have the tag at this full path."""
        asset, _, name = tag.rpartition("/")
        named = not self.tags or name in self.tags.values()
        return named and any(_template(template).fullmatch(asset) for _, template in self.patterns)

    def asset(self, address: str) -> str | None:
        """The asset at `group/node` or `group/node/device`; None for one that was not asked for."""
        if address not in self._assets:
            found = ((pattern.fullmatch(address), asset) for pattern, asset in self.patterns)
            self._assets[address] = next((_filled(asset, match) for match, asset in found if match), None)
        return self._assets[address]

    def tag(self, address: str, metric: str) -> str | None:
        """The full path of a metric's tag; None for one that is not asked for. `PathError`: it cannot be named."""
        asset = self.asset(address)
        if asset is None or metric == "bdSeq" or _CONTROL.match(metric):
            return None
        name = self.tags.get(metric) if self.tags else tag_name(metric)
        return str(TagPath.parse(f"{asset}/{name}")) if name is not None else None


def _pattern(address: str) -> re.Pattern[str]:
    return re.compile(_LEVEL.sub(r"(?P<\1>[^/]+)", re.escape(address)))


def _template(asset: str) -> re.Pattern[str]:
    return re.compile(_LEVEL.sub("[^/]+", re.escape(asset)))


def _filled(asset: str, match: re.Match[str]) -> str:
    for name, value in match.groupdict().items():
        asset = asset.replace(f"{{{name}}}", _FORBIDDEN.sub("_", value).strip("_") or "_")
    return asset
