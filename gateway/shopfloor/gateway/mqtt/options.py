"""What the plant file may say about an MQTT source."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import Field, model_validator
from shopfloor.plant.config import Duration, Section, Whole, url_of

_NAME: Final = re.compile(r"\{([a-z_]+)\}")


def captured(template: str) -> tuple[str, ...]:
    """The names in braces of a template.

    >>> captured("factory/{line}/{asset}")
    ('line', 'asset')
    """
    return tuple(_NAME.findall(template))


class TopicOptions(Section):
    """One form of message. `{name}` in the topic stands for one level and may be used in the tag."""

    topic: str = Field(description="Topic with {names}, as in factory/{asset}/{tag}.", min_length=1)
    tag: str = Field(
        description="Full tag path of {names}; {key} is a key of 'values', and * a level found by the asset's name."
    )
    values: str | None = Field(None, description="Key of an object whose keys are tags; '.' goes into an object.")
    value: str | None = Field(None, description="Key of the one value; without it the whole message is the value.")
    time: str | None = Field(None, description="Key of the time: seconds or ms since 1970, or ISO 8601; else now.")
    quality: str | None = Field(None, description="Key of the quality: good, uncertain, bad or a StatusCode.")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.values is not None and self.value is not None:
            raise ValueError("a topic says both 'values' and 'value': give exactly one of them")
        known = {*captured(self.topic), *(["key"] if self.values is not None else [])}
        unknown = [name for name in captured(self.tag) if name not in known]
        if unknown:
            raise ValueError(f"the tag uses {{{unknown[0]}}}, which the topic does not have: use {sorted(known)}")
        if self.tag.count("/") != 5:
            raise ValueError(f"{self.tag!r} has {self.tag.count('/') + 1} parts: write site/area/line/cell/asset/tag")
        return self


class MqttOptions(Section):
    """A broker and the topics to read."""

    url: Annotated[str, url_of("mqtt", "mqtts")] = Field(description="Broker, as in mqtt://127.0.0.1:1883.")
    topics: tuple[TopicOptions, ...] = Field(
        description="Forms of message; the first that matches is used.", min_length=1
    )
    client_id: str | None = Field(None, description="Stable name at the broker; by default shopfloor-<source>.")
    user: str | None = Field(None, description="User name at the broker.")
    password_file: str | None = Field(None, description="File that holds the password.")
    ca_file: str | None = Field(
        None, description="Certificate authority of an mqtts:// broker; by default the system's."
    )
    version: Literal["3.1.1", "5"] = Field("3.1.1", description="Version of MQTT.")
    qos: Literal[0, 1] = Field(1, description="1: the broker keeps each message until it is safe in the spool.")
    keepalive: Duration = Field(15.0, description="A silent link is lost after about this long.")
    linger: Duration = Field(0.1, description="How long messages are collected into one batch.")
    in_flight: Whole = Field(
        20, ge=1, description="Unacknowledged messages after which the broker waits; ends 'linger'."
    )

    @property
    def broker(self) -> SplitResult:
        """The URL in parts."""
        return urlsplit(self.url)
