"""Assets of a plant file: one entry may stand for a row of them, `cnc-[01..10]`."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from shopfloor.plant.asset import Asset, AssetPath
from shopfloor.plant.config.document import Document
from shopfloor.plant.config.sections import AssetSection
from shopfloor.plant.config.words import Path, expectation
from shopfloor.plant.errors import PathError

MOST: Final = 10_000
_ROW: Final = re.compile(r"\[(\d+)\.\.(\d+)\]")


def count(text: str) -> list[str]:
    """Count a text with `[first..last]` through; digits keep their width.

    >>> count("cnc-[08..10]")
    ['cnc-08', 'cnc-09', 'cnc-10']
    """
    found = _ROW.search(text)
    if found is None:
        if "[" in text or "]" in text:
            raise ValueError(f"{text!r} holds a bracket that is no row: write it as [01..10]")
        return [text]
    if _ROW.search(text, found.end()):
        raise ValueError(f"{text!r} holds two rows: one [01..10] a text is allowed, so write one entry per row")
    first, last = int(found[1]), int(found[2])
    if not 0 < last - first + 1 <= MOST:
        raise ValueError(f"{found[0]!r} counts from {first} to {last}: count upwards, at most {MOST}")
    return [f"{text[: found.start()]}{n:0{len(found[1])}d}{text[found.end() :]}" for n in range(first, last + 1)]


@dataclass(frozen=True, slots=True)
class Known:
    """The names that an asset entry may refer to; no sites at all when they are unknown."""

    types: Collection[str]
    sites: Collection[str]


def expand(document: Document, entries: Mapping[int, AssetSection], known: Known) -> tuple[Asset, ...]:
    """Every asset of the entries, by their place in the list; problems are noted in the document."""
    assets: dict[str, tuple[Asset, int]] = {}
    for i, entry in entries.items():
        where = ("assets", i)
        _check_type(document, entry, where, known)
        for asset in _row(document, entry, where):
            sentence = _trouble(document, asset, where, known, assets)
            if sentence:
                document.blame((*where, "path"), sentence)
                break
            assets[str(asset.path)] = asset, i
    return tuple(asset for asset, _ in assets.values())


def _check_type(document: Document, entry: AssetSection, path: Path, known: Known) -> None:
    if entry.type not in known.types:
        hint = expectation(entry.type, known.types)
        document.blame((*path, "type"), f"{entry.type!r} is no type of 'types' in {document.place(path)}: {hint}")


def _trouble(
    document: Document, asset: Asset, path: Path, known: Known, assets: Mapping[str, tuple[Asset, int]]
) -> str:
    first = assets.get(str(asset.path))
    if first is not None:
        line = document.values["assets", first[1]][0]
        return f"the asset {str(asset.path)!r} is given twice (first in line {line}): keep one of them"
    site = asset.path.site
    if known.sites and site not in known.sites:
        return f"{site!r} is no site of this plant in {document.place(path)}: {expectation(site, known.sites)}"
    return ""


def _row(document: Document, entry: AssetSection, path: Path) -> list[Asset]:
    try:
        paths = [AssetPath.parse(text) for text in count(entry.path)]
    except (ValueError, PathError) as problem:
        what, colon, hint = str(problem).rstrip(".").partition(": ")
        document.blame((*path, "path"), f"{what} in {document.place(path)}{colon}{hint}")
        return []
    titles = _titles(document, entry, path, paths)
    return [Asset(where, entry.type, title) for where, title in zip(paths, titles, strict=False)]


def _titles(document: Document, entry: AssetSection, path: Path, paths: list[AssetPath]) -> list[str]:
    if not entry.title:
        return [where.asset.replace("-", " ").replace("_", " ").capitalize() for where in paths]
    try:
        titles = count(entry.title)
    except ValueError as problem:
        document.blame((*path, "title"), f"{problem} in {document.place(path)}")
        return []
    if len(titles) != len(paths):
        document.blame(
            (*path, "title"),
            f"{entry.title!r} makes {len(titles)} title(s) for the {len(paths)} asset(s) of {document.place(path)}:"
            " write the same [first..last] in path and title",
        )
        return []
    return titles
