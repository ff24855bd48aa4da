"""Tag names for picked nodes: short, stable, unique, and those of the plant file where it knows them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from shopfloor.plant import PathError, TagPath

_APART: Final = re.compile(r"[\s_/#+\x00-\x1f\x7f-\x9f-]+")
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z][a-z])")


@dataclass(frozen=True, slots=True)
class Pick:
    """A node or topic that was ticked: its id, its browse path, a name that somebody gave it, how it is read."""

    id: str
    path: tuple[str, ...]
    tag: str = ""
    form: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Naming:
    """The tag path of each pick, in their order, and a sentence for each that cannot have one."""

    tags: tuple[str, ...]
    problems: tuple[str, ...]


def segment(text: str) -> str:
    """A browse name as a part of a tag name.

    >>> segment("Spindle Load"), segment("SpindleLoad"), segment("DB10.DBX3"), segment("主轴")
    ('spindle-load', 'spindle-load', 'db10.dbx3', '主轴')
    """
    return _APART.sub("-", _HUMP.sub("-", text)).strip("-.").lower() or "x"


def named(picks: Sequence[Pick], asset: str, declared: Mapping[str, Collection[str]]) -> Naming:
    """Tag paths of the picks below `asset`; without one, below the asset of `declared` that their path names.

    `declared` holds asset paths and the tag names that the plant file gives them. A path that ends like such a name
    gets it, if no other does with as few parts left over. Any other gets its last part, with the parts before it
    only where two picks would be the same.

    >>> power = Pick("ns=2;i=1", ("Machines", "CNC-1", "Spindle", "Power"))
    >>> named([power], "delta/frames/line-1/cell-a/cnc-1", {}).tags
    ('delta/frames/line-1/cell-a/cnc-1/power',)
    >>> named([power], "", {"delta/frames/line-1/cell-a/cnc-1": ["spindle.power"]}).tags
    ('delta/frames/line-1/cell-a/cnc-1/spindle.power',)
    """
    problems: list[str] = []
    places = [_place(pick, asset, declared, problems) for pick in picks]
    names = _unique(_first(picks, places, declared), places)
    tags = tuple(name if name.count("/") == 5 else f"{place}/{name}" for name, place in zip(names, places, strict=True))
    return Naming(tags, (*problems, *_faults(picks, tags)))


@dataclass(frozen=True, slots=True)
class _Name:
    """A name that is settled, or parts of which as many are used as are needed."""

    settled: str
    parts: tuple[str, ...] = ()

    def of(self, length: int) -> str:
        return self.settled or ".".join(self.parts[-length:])


def _place(pick: Pick, asset: str, declared: Mapping[str, Collection[str]], problems: list[str]) -> str:
    if asset or pick.tag.count("/") == 5:
        return asset
    parts = {segment(part) for part in pick.path}
    for path in declared:
        if segment(path.rpartition("/")[2]) in parts:
            return path
    problems.append(f"{'/'.join(pick.path)} names no asset of the plant file: choose the asset that it belongs to.")
    return "site/area/line/cell/asset"


def _first(picks: Sequence[Pick], places: Sequence[str], declared: Mapping[str, Collection[str]]) -> list[_Name]:
    names = [_Name(pick.tag, _parts(pick, place)) for pick, place in zip(picks, places, strict=True)]
    claims: dict[tuple[str, str], list[tuple[int, int]]] = {}
    known = {place: {segment(name): name for name in declared.get(place, ())} for place in set(places)}
    for i, (name, place) in enumerate(zip(names, places, strict=True)):
        found = "" if name.settled else _claimed(name.parts, known[place])
        if found:
            claims.setdefault((place, found), []).append((len(name.parts) - found.count(".") - 1, i))
    for (_, found), ones in claims.items():
        (fewest, first), *others = sorted(ones)
        if not others or others[0][0] > fewest:
            names[first] = _Name(found)
    return names


def _parts(pick: Pick, place: str) -> tuple[str, ...]:
    return _below(tuple(segment(part) for part in pick.path), segment(place.rpartition("/")[2]))


def _claimed(parts: tuple[str, ...], known: Mapping[str, str]) -> str:
    """The longest declared name that the path ends like."""
    endings = (".".join(parts[-length:]) for length in range(len(parts), 0, -1))
    return next((known[ending] for ending in endings if ending in known), "")


def _below(parts: tuple[str, ...], asset: str) -> tuple[str, ...]:
    """The parts after the asset's own name, where the path has it before its last part."""
    return parts[parts.index(asset) + 1 :] if asset in parts[:-1] else parts


def _unique(names: Sequence[_Name], places: Sequence[str]) -> list[str]:
    lengths = [1] * len(names)
    while True:
        given = [(place, name.of(length)) for name, place, length in zip(names, places, lengths, strict=True)]
        counted = Counter(given)
        longer = [
            i
            for i, name in enumerate(names)
            if counted[given[i]] > 1 and not name.settled and lengths[i] < len(name.parts)
        ]
        if not longer:
            return _numbered(names, given)
        for i in longer:
            lengths[i] += 1


def _numbered(names: Sequence[_Name], given: Sequence[tuple[str, str]]) -> list[str]:
    """Nodes that share even their whole path are told apart by a number."""
    taken: Counter[tuple[str, str]] = Counter()
    result = []
    for name, one in zip(names, given, strict=True):
        taken[one] += 1
        result.append(one[1] if name.settled or taken[one] == 1 else f"{one[1]}-{taken[one]}")
    return result


def _faults(picks: Sequence[Pick], tags: Sequence[str]) -> list[str]:
    faults = []
    first: dict[str, Pick] = {}
    for pick, tag in zip(picks, tags, strict=True):
        try:
            TagPath.parse(tag)
        except PathError as problem:
            faults.append(str(problem))
        if tag in first:
            faults.append(f"{first[tag].id} and {pick.id} would both be {tag}: give one of them another name.")
        first.setdefault(tag, pick)
    return faults
