"""The sections of a plant file as it is written.

Each key is documented here, once: `docs/plant-file.md` is made of it.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator
from shopfloor.plant.batch import Kind
from shopfloor.plant.config.accounts import AccountsSection
from shopfloor.plant.config.alarms import AlarmsSection, FirstOutSection, LimitSection, SuppressSection
from shopfloor.plant.config.broker import SparkplugSection, UnsSection
from shopfloor.plant.config.influx import InfluxDoorSection
from shopfloor.plant.config.production import ProductionSection
from shopfloor.plant.config.quality import ChartSection
from shopfloor.plant.config.reports import ReportsSection
from shopfloor.plant.config.section import Name, Number, Section, Whole, is_loopback
from shopfloor.plant.config.store import HttpUrl, StoreSection
from shopfloor.plant.config.times import Day, TimeOfDay, minutes
from shopfloor.plant.config.units import Duration, Size


def _timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as problem:
        raise ValueError(f"{value!r} is no time zone: write an IANA name, as in Europe/Berlin or UTC") from problem
    return value


Range = Annotated[tuple[Number, Number], Field(description="[low, high]")]


class BreakSection(Section):
    """A planned break of every day: no production is planned in it."""

    begins: TimeOfDay = Field(description="Local time of day, as in '12:00'.")
    lasts: Duration = Field(gt=0, le=86_400, description="How long it lasts.")

    @property
    def minutes(self) -> int:
        """When it begins, in minutes after midnight."""
        return minutes(self.begins)


class ShiftSection(Section):
    """A shift of every day: it lasts until the next one begins."""

    name: Name = Field(description="What people call it.")
    begins: TimeOfDay = Field(description="Local time of day, as in '06:00'.")

    @property
    def minutes(self) -> int:
        """When it begins, in minutes after midnight."""
        return minutes(self.begins)


class PlantSection(Section):
    """Which plant this file describes."""

    site: Name = Field(description="First part of every asset path.")
    title: str = Field("", description="Name of the plant for people; by default the site.")
    timezone: Annotated[str, AfterValidator(_timezone)] = Field(
        "UTC", description="IANA time zone of shifts and pages; values are stored in UTC."
    )
    sites: tuple[Name, ...] = Field((), description="Further sites whose gateways send to this server.")
    shifts: tuple[ShiftSection, ...] = Field((), description="The shifts of a day, the earliest first.")
    breaks: tuple[BreakSection, ...] = Field((), description="Planned breaks of every day.")
    closed: tuple[Day, ...] = Field((), description="Local days on which no production is planned, as holidays.")

    @field_validator("shifts")
    @classmethod
    def _in_order(cls, value: tuple[ShiftSection, ...]) -> tuple[ShiftSection, ...]:
        for before, shift in pairwise(value):
            if shift.minutes <= before.minutes:
                raise ValueError(
                    f"the shift {shift.name!r} ({shift.begins}) follows {before.name!r} ({before.begins}):"
                    " write the earliest first, and each time once"
                )
        return value


class TagSection(Section):
    """A value of every asset of a type."""

    kind: Kind = Field(Kind.FLOAT, description="What its values are.")
    unit: str = Field("", description="Engineering unit as people write it, as in kW or °C.")
    title: str = Field("", description="Name for people; by default the tag's own name.")
    description: str = Field("", description="One sentence more, shown with the trend.")
    decimals: Whole = Field(2, ge=0, le=9, description="Digits after the point on pages.")
    normal: Range | None = Field(None, description="Range in which the value is normal: [low, high].")
    limits: tuple[LimitSection, ...] = Field((), description="Alarm limits, outside the normal range.")
    states: tuple[str, ...] = Field((), description="Known values of a text tag, in the order of a timeline.")
    writable: bool = Field(False, description="Whether it is a setpoint that may be written.")
    range: Range | None = Field(None, description="What may be written to it: [low, high].")


class TypeSection(Section):
    """A type of asset and the tags that each asset of it has."""

    title: str = Field("", description="Name for people; by default the key of the type.")
    tags: dict[str, TagSection] = Field({}, description="Its tags by name; without them, those that its source finds.")
    quality: dict[Name, ChartSection] = Field({}, description="Control charts of each asset of it, by name.")
    suppress: tuple[SuppressSection, ...] = Field((), description="Alarms that are suppressed in some states.")
    first_out: dict[Name, FirstOutSection] = Field({}, description="Groups whose first alarm is marked, by name.")
    production: ProductionSection | None = Field(None, description="How OEE, downtime, parts and energy are found.")


class AssetSection(Section):
    """An asset, or a row of assets: one `[01..10]` in the path and in the title is counted through."""

    path: str = Field(description="site/area/line/cell/asset.")
    type: str = Field(description="A key of 'types'.")
    title: str = Field("", description="Name for people; by default made of the last part of the path.")


class WhenFull(StrEnum):
    """What becomes of values for which the spool has no room."""

    WAIT = "wait"
    DROP_OLDEST = "drop-oldest"
    DROP_NEWEST = "drop-newest"


class SpoolSection(Section):
    """What the gateway keeps while the server is away."""

    limit: Size = Field(2_000_000_000, ge=1_000_000, description="Bytes on disk after which the spool is full.")
    when_full: WhenFull = Field(
        WhenFull.WAIT,
        description="'wait': nothing more is taken from the devices, whose own queues hold what they can;"
        " 'drop-oldest' or 'drop-newest': those values are given up, counted and alarmed.",
    )


class GatewaySection(Section):
    """The process at the edge."""

    name: Name = Field("edge-1", description="Name of this gateway, unique among those of one server.")
    server: HttpUrl = Field("http://127.0.0.1:8000", description="Where batches are sent.")
    token_file: str | None = Field(None, description="File that holds the token the server gave to this gateway.")
    spool: SpoolSection = Field(default_factory=SpoolSection, description="What is kept while the server is away.")
    uns: UnsSection | None = Field(None, description="A unified namespace that shows the last value of every tag.")
    sparkplug: SparkplugSection | None = Field(None, description="A Sparkplug B edge node that sends every value.")


class ServerSection(Section):
    """The process that stores, predicts and serves the pages."""

    host: str = Field(
        "127.0.0.1", description="Address to listen on; one that is not loopback needs 'security: token'."
    )
    port: Whole = Field(8000, ge=0, le=65535, description="TCP port; 0 takes a free one.")
    security: Literal["loopback", "token"] = Field(
        "loopback", description="'token': every request needs an account that signed in, or carries a token."
    )
    two_persons: bool = Field(False, description="Whoever brought a model may not promote it: another account does.")
    influx: InfluxDoorSection = Field(
        default_factory=InfluxDoorSection, description="Where values go that clients of InfluxDB write to this server."
    )

    @model_validator(mode="after")
    def _closed(self) -> Self:
        if self.security == "loopback" and not is_loopback(self.host):
            raise ValueError(
                f"{self.host!r} can be reached by other machines and no 'security' is named:"
                " keep 127.0.0.1, or add 'security: token': the server's console says how to make the first account"
            )
        return self


class WriteOptions(Section):
    """What may be written through a source. Connectors that can write have a key `writes` of this kind."""

    allow: tuple[str, ...] = Field(
        description="Full tag paths that may be written, '*' for any part of one level, [01..10] counted; no other is.",
        min_length=1,
    )
    every: Duration = Field(1.0, description="Least time between two writes to one tag.")
    per_minute: Whole = Field(60, ge=1, description="Most writes through the source in one minute.")

    @cached_property
    def patterns(self) -> tuple[re.Pattern[str], ...]:
        """The allow-list, compiled."""
        from shopfloor.plant.config.assets import count  # it needs the sections

        texts = [one for pattern in self.allow for one in count(pattern)]
        return tuple(re.compile(re.escape(text).replace(r"\*", "[^/]*")) for text in texts)

    def may(self, tag: str) -> bool:
        """Whether the allow-list names the tag."""
        return any(pattern.fullmatch(tag) for pattern in self.patterns)

    @field_validator("allow")
    @classmethod
    def _full_paths(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        from shopfloor.plant.config.assets import count  # it needs the sections

        for pattern in value:
            if pattern.count("/") != 5:
                raise ValueError(f"{pattern!r} fits no tag: write site/area/line/cell/asset/tag, with '*' for a level")
            count(pattern)
        return value


class SourceSection(BaseModel):
    """A connection that delivers values; every other key belongs to its kind."""

    model_config = ConfigDict(frozen=True, extra="allow")

    name: Name = Field(description="Name of the source, unique in the file.")
    kind: str = Field(description="opcua, mqtt, modbus, recording, or another installed connector.")


class SourcesFile(Section):
    """A file that holds sources and nothing else, written as in a plant file."""

    sources: tuple[SourceSection, ...] = Field(description="Where values come from.", min_length=1)


class PlantFile(Section):
    """The plant file as a whole."""

    plant: PlantSection = Field(description="Which plant this is.")
    types: dict[str, TypeSection] = Field(description="Asset types and their tags.", min_length=1)
    assets: tuple[AssetSection, ...] = Field(description="The machines, pots, vessels and stations.", min_length=1)
    gateway: GatewaySection = Field(default_factory=GatewaySection, description="The process at the edge.")
    server: ServerSection = Field(default_factory=ServerSection, description="The process that stores and serves.")
    accounts: AccountsSection = Field(default_factory=AccountsSection, description="How people sign in.")
    store: StoreSection = Field(default_factory=StoreSection, description="Where values are kept.")
    alarms: AlarmsSection = Field(default_factory=AlarmsSection, description="How alarms are handled.")
    reports: ReportsSection = Field(default_factory=ReportsSection, description="Reports of shifts and days.")
    sources: tuple[SourceSection, ...] = Field((), description="Where values come from.")
