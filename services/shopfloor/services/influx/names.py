"""Where a field of a line stands in the plant, and back.

Lines whose tags are exactly site, area, line, cell and asset are the plant's own: the measurement is the tag, and the
fields value, integer, text and quality are its values, as in the copies that the historian writes. Everything else
goes where a template says. What a level of a path cannot hold is percent-encoded, so that names come back as they were.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from shopfloor.plant import PathError, RejectedError, TagPath
from shopfloor.plant.asset import LEVELS, check_segment
from shopfloor.plant.config import InfluxDoorSection
from shopfloor.services.influx.line import Head

DEFAULT: Final = "{site}/{bucket}/influx/{measurement}/{tags}/{field}"
FIELDS: Final = ("value", "integer", "text", "quality")
"""The fields of the plant's own tags."""
NO_TAGS: Final = "-"
MOST: Final = 1_000
_UNFIT: Final = re.compile(r"[%/#+\x00-\x1f\x7f]|[^\S ]| (?= |$)|^ ")
_UNFIT_TAG: Final = re.compile(r"[%/#+\x00-\x1f\x7f,=]|[^\S ]| (?= |$)|^ ")


@dataclass(frozen=True, slots=True)
class Series:
    """What a tag path is to a client of InfluxDB. `field` is "" for the plant's own tags, which have several."""

    measurement: str
    tags: Mapping[str, str]
    field: str = ""
    bucket: str | None = None
    """The only database that shows it; None: all of them."""


class Names:
    """Paths of fields, and fields of paths, after the templates of a plant file.

    >>> names = Names(InfluxDoorSection(), "delta")
    >>> path = names.path("telegraf", Head("disk", (("host", "a"), ("path", "/var"))), "free")
    >>> path
    'delta/telegraf/influx/disk/host=a,path=%2Fvar/free'
    >>> names.series(path).tags
    {'host': 'a', 'path': '/var'}
    """

    def __init__(self, section: InfluxDoorSection, site: str) -> None:
        self._templates = [_Template(entry.measurement, entry.path, site) for entry in section.paths]
        self._templates.append(_Template("*", DEFAULT, site))

    def path(self, bucket: str, head: Head, field: str) -> str:
        """The tag path of a field; one that would be too long raises `RejectedError`."""
        if is_own(head) and field in FIELDS:
            asset = dict(head.tags)
            return "/".join((*(asset[level] for level in LEVELS), head.measurement))
        path = next(path for template in self._templates if (path := template.path(bucket, head, field)))
        if len(path) > MOST:
            raise RejectedError(f"names of at most {MOST} characters were expected, and these make {len(path)}")
        return path

    def series(self, path: str) -> Series:
        """The measurement, tags and field of a tag path."""
        for template in self._templates:
            if found := template.series(path):
                return found
        tag = TagPath.parse(path)
        return Series(tag.name, {level: getattr(tag.asset, level) for level in LEVELS})


def is_own(head: Head) -> bool:
    """Whether a line has the form of the plant's own tags."""
    if not head.has_levels:
        return False
    try:
        for segment in (head.measurement, *(value for _, value in head.tags)):
            check_segment(segment, segment)
    except PathError:
        return False
    return True


class _Template:
    """One rule: a measurement with '*' in it, and six levels of text or {name}."""

    def __init__(self, measurement: str, path: str, site: str) -> None:
        self._fits = re.compile(fnmatch.translate(measurement.replace("[", "[[]").replace("?", "[?]"))).match
        self._exact = measurement
        self._levels = [level.replace("{site}", site) for level in path.split("/")]
        self._places = [level[1:-1] for level in self._levels if level.startswith("{")]
        self._keys = set(self._places) - {"bucket", "measurement", "field", "tags"}
        parts = [rf"(?P<_{i}>[^/]+)" if at.startswith("{") else re.escape(at) for i, at in enumerate(self._levels)]
        self._pattern = re.compile("/".join(parts))

    def path(self, bucket: str, head: Head, field: str) -> str | None:
        """The path; None when this rule is not for such a line."""
        tags = dict(head.tags)
        rest = [item for item in head.tags if item[0] not in self._keys]
        if not self._fits(head.measurement) or not tags.keys() >= self._keys or (rest and "tags" not in self._places):
            return None
        known = {key: escape(tags[key]) for key in self._keys}
        known |= {"bucket": escape(bucket), "measurement": escape(head.measurement), "field": escape(field)}
        known["tags"] = ",".join(f"{_escape_tag(key)}={_escape_tag(value)}" for key, value in rest) or NO_TAGS
        return "/".join(known[level[1:-1]] if level.startswith("{") else level for level in self._levels)

    def series(self, path: str) -> Series | None:
        """What this rule made the path of; None when it made it of nothing."""
        found = self._pattern.fullmatch(path)
        if found is None:
            return None
        values = {level[1:-1]: found[f"_{i}"] for i, level in enumerate(self._levels) if level.startswith("{")}
        measurement = unquote(values["measurement"]) if "measurement" in values else self._exact
        tags = {key: unquote(values[key]) for key in self._keys}
        rest = values.get("tags", NO_TAGS)
        if not self._fits(measurement) or (rest != NO_TAGS and "=" not in rest):
            return None
        if rest != NO_TAGS:
            tags |= {
                unquote(key): unquote(value) for key, _, value in (item.partition("=") for item in rest.split(","))
            }
        bucket = values.get("bucket")
        return Series(measurement, tags, unquote(values["field"]), None if bucket is None else unquote(bucket))


def escape(text: str) -> str:
    """A text as a level of a path.

    >>> escape("/dev/sda 1 "), unquote(escape("/dev/sda 1 "))
    ('%2Fdev%2Fsda 1%20', '/dev/sda 1 ')
    """
    return _UNFIT.sub(_percent, text)


def _escape_tag(text: str) -> str:
    return _UNFIT_TAG.sub(_percent, text)


def _percent(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode())
