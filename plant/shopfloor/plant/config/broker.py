"""How a plant file names an MQTT broker: the same keys wherever one is used."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import Field, model_validator
from shopfloor.plant.config.section import Section, url_of
from shopfloor.plant.config.units import Duration, Size


class BrokerSection(Section):
    """A broker, and how to log in there."""

    url: Annotated[str, url_of("mqtt", "mqtts")] = Field(
        description="Broker, as in mqtt://127.0.0.1:1883, or mqtts:// for an encrypted one."
    )
    client_id: str | None = Field(None, description="Stable name at the broker; by default made of the name here.")
    user: str | None = Field(None, description="User name at the broker.")
    password_file: str | None = Field(None, description="File that holds the password.")
    ca_file: str | None = Field(
        None, description="Certificate authority of an mqtts:// broker; by default the system's."
    )
    certificate: str | None = Field(None, description="File of the client's own certificate (PEM), for mqtts://.")
    private_key: str | None = Field(None, description="File of its private key (PEM, not encrypted).")
    version: Literal["auto", "3.1.1", "5"] = Field(
        "auto", description="Version of MQTT; auto: 5, or 3.1.1 where the broker does not speak it."
    )
    keepalive: Duration = Field(15.0, ge=1, le=65_535, description="A silent link is lost after about this long.")

    @model_validator(mode="after")
    def _sealed(self) -> Self:
        if (self.certificate is None) != (self.private_key is None):
            raise ValueError("'certificate' and 'private_key' belong together: give both of them or none")
        files = [key for key in ("ca_file", "certificate") if getattr(self, key) is not None]
        if files and self.broker.scheme != "mqtts":
            raise ValueError(f"{files[0]!r} is given for an unencrypted broker: write mqtts:// in 'url'")
        if self.password_file is not None and self.user is None:
            raise ValueError("'password_file' is given without a 'user': name the user as well")
        return self

    @property
    def broker(self) -> SplitResult:
        """The URL in parts."""
        return urlsplit(self.url)


class UnsSection(BrokerSection):
    """The last value of every tag, retained at a broker under ISA-95 topics: prefix/site/area/line/cell/asset/tag."""

    prefix: str = Field("uns", description="First part of every topic.", pattern=r"^[^\s+#$/]+(/[^\s+#/]+)*$")
    every: Duration = Field(1.0, gt=0, description="Least time between two values of one tag; the latest is published.")


class SparkplugSection(BrokerSection):
    """The accepted values as a Sparkplug B edge node, one device for each asset."""

    group: str = Field(description="Group id.", pattern=r"^[^+/#]+$")
    node: str | None = Field(None, description="Edge node id; by default the gateway's name.", pattern=r"^[^+/#]+$")
    primary_host: str | None = Field(
        None,
        pattern=r"^[^+/#]+$",
        description="Host application to wait for: while it is away values are kept, and sent afterwards as history.",
    )
    keep: Size = Field(
        200_000_000, ge=1_000_000, description="Bytes kept on disk while nobody listens; then the oldest are dropped."
    )
    rebirth_every: Duration = Field(5.0, description="Least time between two births that hosts ask for.")
    commands: bool = Field(
        False, description="Whether commands of hosts are passed on, where the 'writes' of the sources judge them."
    )
