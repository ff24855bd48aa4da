"""How a plant file places the values that InfluxDB's clients write to the server."""

from __future__ import annotations

import re
from typing import Final, Self

from pydantic import Field, field_validator, model_validator
from shopfloor.plant.asset import check_segment
from shopfloor.plant.config.section import Section
from shopfloor.plant.errors import PathError

_PLACE: Final = re.compile(r"\{([^{}]+)\}")


class LinePathSection(Section):
    """Where the values of some measurements go."""

    measurement: str = Field("*", description="Name of the measurement, '*' for any part of it.", min_length=1)
    path: str = Field(
        description="Tag path; a level is text, or one of {site}, {bucket}, {measurement}, {field}, {tags} (those"
        " without a level of their own), or a tag of the line, as in {host}."
    )

    @field_validator("path")
    @classmethod
    def _six_levels(cls, value: str) -> str:
        parts = value.split("/")
        if len(parts) != 6:
            raise ValueError(f"{value!r} has {len(parts)} levels: write site/area/line/cell/asset/tag")
        places = [part[1:-1] for part in parts if _PLACE.fullmatch(part)]
        for part in parts:
            if not _PLACE.fullmatch(part):
                _check_text(part, value)
        for place in places:
            if places.count(place) > 1:
                raise ValueError(f"{value!r} has {{{place}}} twice: keep one of them")
        if "field" not in places:
            raise ValueError(f"{value!r} has no {{field}}: all fields of a line would be one tag; add it")
        return value

    @model_validator(mode="after")
    def _names_measurement(self) -> Self:
        if "*" in self.measurement and "{measurement}" not in self.path:
            raise ValueError(
                f"{self.path!r} stands for several measurements and does not keep their name: add {{measurement}}"
            )
        return self


class InfluxDoorSection(Section):
    """The doors for clients of InfluxDB: where their values go."""

    paths: tuple[LinePathSection, ...] = Field(
        (), description="Where values go; the first entry that has a level for every tag of a line is taken."
    )
    quality: str = Field("quality", description="The integer field that holds the OPC UA StatusCode of its line.")


def _check_text(part: str, whole: str) -> None:
    if "{" in part or "}" in part:
        raise ValueError(f"{whole!r} has the level {part!r}: a level is text or one {{name}}, not both")
    try:
        check_segment(part, whole)
    except PathError as problem:
        raise ValueError(str(problem).rstrip(".")) from problem
