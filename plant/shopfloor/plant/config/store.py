"""The section `store` of a plant file: where values are kept, read from, and copied to."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator
from shopfloor.plant.config.section import Section, url_of
from shopfloor.plant.config.units import Duration

HttpUrl = Annotated[str, url_of("http", "https")]
_PARTS: Final = 6
_PRODUCTS: Final = ("influxdb", "victoriametrics")


class StoreServer(Section):
    """A server store: InfluxDB (1.x: `bucket` is the database), or VictoriaMetrics."""

    url: HttpUrl = Field(description="Address of the server.")
    org: str = Field("", description="Organisation of an InfluxDB 2 or later.")
    bucket: str = Field("", description="Bucket of an InfluxDB, or database of an InfluxDB 1.x.")
    token_file: str | None = Field(None, description="File that holds its token, or 'user:password'.")
    compress: bool = Field(False, description="Send compressed, for a slow line; costs much processor time.")


class ForwardSection(StoreServer):
    """A server store that gets a copy of every stored value."""

    kind: Literal["influxdb", "victoriametrics"] = Field(description="What the server is.")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        _check_bucket(self.kind, self)
        return self


class InfluxSection(Section):
    """An InfluxDB that gets a copy of every stored value: as an entry of `forward`."""

    url: HttpUrl = Field(description="Address of InfluxDB.")
    org: str = Field(description="Its organisation.", min_length=1)
    bucket: str = Field(description="Its bucket.", min_length=1)
    token_file: str = Field(description="File that holds its token.")


class RetentionSection(Section):
    """How long the embedded store keeps what, counted from the end of the UTC day; what is not named stays for ever.

    Summaries outlive the values they were made of, so that a year can still be drawn.
    """

    raw: Duration | None = Field(None, description="The values themselves.")
    minutes: Duration | None = Field(None, description="Summaries of minutes.")
    hours: Duration | None = Field(None, description="Summaries of hours, and the time in each state.")
    tags: dict[str, Duration] = Field(
        {},
        description="The values of some tags, instead of `raw`: by path or its beginning, with '*' for any part of one"
        " level; the first that fits counts.",
    )

    @field_validator("tags")
    @classmethod
    def _select(cls, tags: dict[str, float]) -> dict[str, float]:
        for text in tags:
            path = text.strip("/")
            if not path or "//" in path or path.count("/") >= _PARTS:
                raise ValueError(
                    f"{text!r} selects no tag: write a path or its beginning, site/area/line/cell/asset/tag,"
                    " with '*' for any part of a level"
                )
        return tags


def _raw(value: object) -> object:
    """A duration alone is that of the raw values."""
    return {"raw": value} if isinstance(value, (str, int, float)) and not isinstance(value, bool) else value


class StoreSection(Section):
    """Where values are kept."""

    kind: Literal["embedded", "influxdb", "victoriametrics"] = Field(
        "embedded", description="Where pages read history from: the embedded store, or `server`."
    )
    server: StoreServer | None = Field(None, description="The server store of `kind`; gets every stored value too.")
    retention: Annotated[RetentionSection, BeforeValidator(_raw)] = Field(
        default_factory=RetentionSection,
        description="Ages after which the embedded store forgets, never before every server has it; a duration alone"
        " is that of `raw`.",
    )
    forward: tuple[ForwardSection, ...] = Field((), description="Server stores that get a copy of every stored value.")
    influxdb: InfluxSection | None = Field(None, description="The older way to write one entry of `forward`.")

    @property
    def targets(self) -> tuple[ForwardSection, ...]:
        """Every server that gets values; with a `kind` other than embedded, the first is where pages read from."""
        first = () if self.server is None else (_as_target(self.kind, self.server),)
        older = () if self.influxdb is None else (_as_target("influxdb", self.influxdb),)
        return (*first, *older, *self.forward)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind == "embedded" and self.server is not None:
            raise ValueError(f"'server' has no use with the kind 'embedded': write kind: {' or '.join(_PRODUCTS)}")
        if self.kind != "embedded" and self.server is None:
            raise ValueError(f"the kind {self.kind!r} has no 'server': add 'server: {{url: …}}', its address")
        if self.server is not None:
            _check_bucket(self.kind, self.server)
        places = [(target.url.rstrip("/"), target.org, target.bucket) for target in self.targets]
        for place in places:
            if places.count(place) > 1:
                raise ValueError(f"{place[0]} stands twice: every server gets all values once, so name it once")
        return self


def _check_bucket(kind: str, server: StoreServer) -> None:
    if kind == "influxdb" and not server.bucket:
        raise ValueError("an InfluxDB has no 'bucket': add 'bucket: …', or the database of an InfluxDB 1.x")


def _as_target(kind: str, section: Section) -> ForwardSection:
    return ForwardSection.model_validate(section.model_dump() | {"kind": kind})
