"""What the plant file may say about an MQTT source."""

from __future__ import annotations

import json
import re
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from shopfloor.gateway.mqtt.paths import Path, path
from shopfloor.plant import quality
from shopfloor.plant.asset import LEVELS
from shopfloor.plant.config import BrokerSection, Duration, Section, Whole, WriteOptions, duration

_NAME: Final = re.compile(r"\{([a-z_]+)\}")
_STATUS_END: Final = 2**32


def captured(template: str) -> tuple[str, ...]:
    """The names in braces of a template.

    >>> captured("factory/{line}/{asset}")
    ('line', 'asset')
    """
    return tuple(_NAME.findall(template))


def _path(text: str) -> str:
    path(text)
    return text


def _one(text: str) -> str:
    if path(text).wild:
        raise ValueError(f"{text!r} leads to many: name the one, or give the many by 'samples'")
    return text


def _many(text: str) -> str:
    if not path(text).wild:
        raise ValueError(f"{text!r} leads to one sample: write [*] where the many are, as in {text}[*]")
    return text


def _period(text: str) -> str:
    if text.startswith("$"):
        return _one(text)
    duration(text)
    return text


OnePath = Annotated[str, AfterValidator(_one)]
EachPath = Annotated[str, AfterValidator(_path)]
"""A path that is read for each sample: a [*] in it stands for the sample's number."""


class TopicOptions(Section):
    """One form of message. `{name}` in the topic stands for one level and may be used in the tag."""

    topic: str = Field(description="Topic with {names}, as in factory/{asset}/{tag}.", min_length=1)
    tag: str = Field(
        description="Full tag path of {names}; {key} is a key of 'values', what 'key' leads to, or the sample's own"
        " name or number; * is a level found by the asset's name."
    )
    samples: Annotated[str, AfterValidator(_many)] | None = Field(
        None,
        description="Path with [*] to the samples of a message; the paths below begin inside each, those with $ at the"
        " top of the message.",
    )
    values: OnePath | None = Field(None, description="Path to an object whose keys are tags.")
    value: EachPath | None = Field(
        None, description="Path to the one value; without it the whole message, or sample, is the value."
    )
    key: EachPath | None = Field(None, description="Path to the text that {key} in the tag stands for.")
    time: EachPath | None = Field(None, description="Path to the time; without it, or where it is null, now.")
    time_unit: Literal["auto", "s", "ms", "us", "ns", "iso"] = Field(
        "auto", description="Unit of the time since 1970; auto: by its size, or ISO 8601."
    )
    offset: EachPath | None = Field(None, description="Path to what is added to the time of each sample.")
    offset_unit: Literal["s", "ms", "us", "ns"] = Field("ms", description="Unit of 'offset', and of a 'period' path.")
    period: Annotated[str, AfterValidator(_period)] | None = Field(
        None, description="Time from one sample to the next: a duration, or a path that begins with $."
    )
    quality: EachPath | None = Field(None, description="Path to the quality: good, uncertain, bad or a StatusCode.")
    qualities: dict[str, str | Whole] = Field(
        {}, description="What the device's own words for quality mean, as in {OK: good, 7: BadSensorFailure}."
    )
    numeric: bool = Field(False, description="Whether a text that is a number counts as one for undeclared tags too.")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for first, second in (("values", "value"), ("values", "key"), ("offset", "period")):
            if getattr(self, first) is not None and getattr(self, second) is not None:
                raise ValueError(f"a topic says both {first!r} and {second!r}: give exactly one of them")
        keyed = self.samples is not None or self.values is not None or self.key is not None
        known = {*captured(self.topic), *(["key"] if keyed else [])}
        unknown = [name for name in captured(self.tag) if name not in known]
        if unknown:
            raise ValueError(f"the tag uses {{{unknown[0]}}}, which the topic does not have: use {sorted(known)}")
        if self.tag.count("/") != 5:
            raise ValueError(f"{self.tag!r} has {self.tag.count('/') + 1} parts: write site/area/line/cell/asset/tag")
        return self

    @model_validator(mode="after")
    def _of_samples(self) -> Self:
        if self.samples is not None:
            return self
        for name in ("value", "key", "time", "offset", "period", "quality"):
            text = getattr(self, name)
            if text is not None and (name in {"offset", "period"} or path(text).wild):
                raise ValueError(f"{name!r} is given for each of many samples: say by 'samples' where they are")
        return self

    @model_validator(mode="after")
    def _statuses(self) -> Self:
        for said, meant in self.qualities.items():
            if (quality.of_name(meant) if isinstance(meant, str) else 0 <= meant < _STATUS_END or None) is None:
                raise ValueError(
                    f"the quality {meant!r} of {said!r} is not known: write good, uncertain, bad, a name such as"
                    " BadSensorFailure, or a StatusCode"
                )
        return self

    def path(self, name: str) -> Path | None:
        """The compiled path of a key, or None."""
        text = getattr(self, name)
        return None if text is None else path(text)


class MqttWriteOptions(WriteOptions):
    """How setpoints go to a broker's devices."""

    topic: str = Field(
        description="Command topic of {site}, {area}, {line}, {cell}, {asset} and {tag}, as in f/{asset}/{tag}/set.",
        min_length=1,
    )
    payload: str = Field("{value}", description="JSON of the command; {value} is the value, {tag} the tag's full path.")
    timeout: Duration = Field(5.0, gt=0, description="How long the device's next state is waited for.")

    def command(self, tag: str, value: float | str) -> tuple[str, bytes]:
        """Topic and message that ask for a value.

        >>> options = MqttWriteOptions(allow=["*/*/*/*/*/*"], topic="f/{asset}/{tag}/set", payload='{"v": {value}}')
        >>> options.command("delta/smelter/potline/row-1/pot-01/voltage", 4.2)
        ('f/pot-01/voltage/set', b'{"v": 4.2}')
        """
        topic = self.topic
        for level, part in zip((*LEVELS, "tag"), tag.split("/"), strict=True):
            topic = topic.replace(f"{{{level}}}", part)
        text = self.payload.replace("{tag}", json.dumps(tag, ensure_ascii=False)[1:-1])
        return topic, text.replace("{value}", json.dumps(value, ensure_ascii=False)).encode()

    @model_validator(mode="after")
    def _speaks(self) -> Self:
        unknown = [name for name in captured(self.topic) if name not in {*LEVELS, "tag"}]
        if unknown or "+" in self.topic or "#" in self.topic:
            raise ValueError(f"{self.topic!r} is no command topic: use {{site}} … {{asset}} and {{tag}}, no wildcard")
        try:
            json.loads(self.payload.replace("{value}", "0"))
        except ValueError as problem:
            raise ValueError('the payload is no JSON: write it as in {"v": {value}}') from problem
        if "{value}" not in self.payload:
            raise ValueError('the payload says no value: write {value} where it goes, as in {"v": {value}}')
        return self


class MqttOptions(BrokerSection):
    """A broker and the topics to read."""

    topics: tuple[TopicOptions, ...] = Field(
        description="Forms of message; the first that matches is used.", min_length=1
    )
    writes: MqttWriteOptions | None = Field(None, description="What may be written; by default nothing.")
    qos: Literal[0, 1] = Field(1, description="1: the broker keeps each message until it is safe in the spool.")
    linger: Duration = Field(0.1, description="How long messages are collected into one batch.")
    in_flight: Whole = Field(
        20,
        ge=1,
        description="Unacknowledged messages that make the broker wait, which ends 'linger'; more are learned.",
    )
