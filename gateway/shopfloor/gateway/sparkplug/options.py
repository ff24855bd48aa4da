"""What the plant file may say about a Sparkplug source.

>>> options = SparkplugOptions(
...     url="mqtt://127.0.0.1:1883",
...     assets={"press-shop/{node}/press-[1..2]": "north/stamping/{node}/cell-1/press-[1..2]"},
... )
>>> options.rows["press-shop/{node}/press-2"], options.filters
('north/stamping/{node}/cell-1/press-2', ('spBv1.0/press-shop/#',))
"""

from __future__ import annotations

import re
from typing import Final, Self

from pydantic import Field, model_validator
from shopfloor.plant.config import BrokerSection, Duration, Size, WriteOptions
from shopfloor.plant.config.assets import count

NAMESPACE: Final = "spBv1.0"
_NAME: Final = re.compile(r"\{([a-z_]+)\}")
_ID: Final = r"^[^+/#]+$"


class SparkplugOptions(BrokerSection):
    """A broker and the edge nodes to listen to: a Sparkplug B 3.0 host application."""

    assets: dict[str, str] = Field(
        description="group/node or group/node/device -> asset path; {names} stand for a level in both.", min_length=1
    )
    tags: dict[str, str] = Field(
        {}, description="Metric name -> tag name; without it every metric is a tag, its '/' written as '.'."
    )
    host_id: str | None = Field(
        None,
        pattern=_ID,
        description="Primary host: publishes STATE under this name, so that edge nodes keep values while it is away.",
    )
    reorder: Duration = Field(2.0, description="How long a missing sequence number is waited for before a rebirth.")
    rebirth_every: Duration = Field(
        10.0, ge=1, description="Least time between two rebirth requests to one node; doubled while it does not answer."
    )
    keep: Size = Field(
        8_000_000, ge=1_000, description="Bytes of values per node that are kept until its birth explains them."
    )
    linger: Duration = Field(0.1, description="How long messages are collected into one batch.")
    writes: WriteOptions | None = Field(None, description="What may be written; by default nothing.")

    @property
    def rows(self) -> dict[str, str]:
        """The assets with their rows `[1..6]` counted through."""
        return {
            pattern: asset
            for patterns, assets in self.assets.items()
            for pattern, asset in zip(count(patterns), count(assets), strict=True)
        }

    @property
    def filters(self) -> tuple[str, ...]:
        """The topic filters to subscribe to: one for each group."""
        groups = ("+" if "{" in group else group for group in (pattern.split("/")[0] for pattern in self.rows))
        filters = tuple(dict.fromkeys(f"{NAMESPACE}/{group}/#" for group in groups))
        return (f"{NAMESPACE}/+/#",) if f"{NAMESPACE}/+/#" in filters else filters

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for pattern, asset in self.assets.items():
            if pattern.count("/") not in {1, 2} or not all(pattern.split("/")):
                raise ValueError(f"{pattern!r} is no address: write group/node or group/node/device")
            if asset.count("/") != 4:
                raise ValueError(f"{asset!r} has {asset.count('/') + 1} parts: write site/area/line/cell/asset")
            unknown = set(_NAME.findall(asset)) - set(_NAME.findall(pattern))
            if unknown:
                raise ValueError(f"{asset!r} uses {{{min(unknown)}}}, which {pattern!r} does not have")
            if len(count(pattern)) != len(count(asset)):
                raise ValueError(f"{pattern!r} and {asset!r} count differently: give both the same row")
        return self
