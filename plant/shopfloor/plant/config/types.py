"""Asset types of a plant file: what each tag says must fit together."""

from __future__ import annotations

from collections.abc import Mapping

from shopfloor.plant.asset import check_segment
from shopfloor.plant.batch import Kind
from shopfloor.plant.config.alarms import LimitSection
from shopfloor.plant.config.document import Document
from shopfloor.plant.config.plant import AssetType
from shopfloor.plant.config.production import ProductionSection
from shopfloor.plant.config.quality import ChartSection
from shopfloor.plant.config.sections import TagSection, TypeSection
from shopfloor.plant.config.suppressing import check_type
from shopfloor.plant.config.words import Path, expectation
from shopfloor.plant.errors import PathError
from shopfloor.plant.tag import Band, Limit, Side, Tag


def asset_type(document: Document, name: str, section: TypeSection) -> AssetType:
    """The type as the product uses it; problems are noted in the document."""
    for tag_name, tag in section.tags.items():
        check_tag(document, ("types", name, "tags", tag_name), tag)
    for chart_name, chart in section.quality.items():
        check_chart(document, ("types", name, "quality", chart_name), chart, section.tags)
    check_type(document, ("types", name), section)
    if section.production:
        check_production(document, ("types", name, "production"), section.production, section.tags)
    tags = tuple(_tag(*item) for item in section.tags.items())
    return AssetType(
        name, section.title or name, tags, section.quality, section.suppress, section.first_out, section.production
    )


def _tag(name: str, section: TagSection) -> Tag:
    return Tag(
        name=name,
        kind=section.kind,
        unit=section.unit,
        title=section.title or name,
        description=section.description,
        decimals=section.decimals,
        normal=Band(*section.normal) if section.normal else None,
        limits=tuple(_limit(limit) for limit in section.limits),
        states=section.states,
        writable=section.writable,
        range=Band(*section.range) if section.range else None,
    )


def _limit(section: LimitSection) -> Limit:
    side = Side.LOW if section.high is None else Side.HIGH
    value = section.low if section.high is None else section.high
    assert value is not None  # noqa: S101 (LimitSection allows exactly one side)
    return Limit(
        side, value, section.priority, section.delay, section.deadband, section.advice,
        section.off_delay, section.realarm, section.latch,
    )  # fmt: skip


def check_tag(document: Document, path: Path, tag: TagSection) -> None:
    """Note what does not fit together in a tag."""
    _check_name(document, path)
    _check_kind(document, path, tag)
    for key, band in (("normal", tag.normal), ("range", tag.range)):
        if band and not band[0] < band[1]:
            document.blame(
                (*path, key),
                f"[{band[0]:g}, {band[1]:g}] is no range in {document.place((*path, key))}: write the lower first",
            )
    if tag.range and not tag.writable:
        document.blame(
            (*path, "range"),
            f"{document.place(path)} has a 'range' and cannot be written: add 'writable: true', or name it 'normal'",
            key=True,
        )
    _check_limits(document, path, tag)


def _check_name(document: Document, path: Path) -> None:
    try:
        check_segment(str(path[-1]), str(path[-1]))
    except PathError:
        document.blame(
            path,
            f"{path[-1]!r} cannot name a tag in {document.place(path[:2])}: write text without '/', '#' and '+'",
            key=True,
        )


def _check_kind(document: Document, path: Path, tag: TagSection) -> None:
    if tag.states and tag.kind is not Kind.TEXT:
        document.blame(
            (*path, "states"), f"{document.place(path)} has 'states' and holds numbers: add 'kind: text'", key=True
        )
    if tag.kind is Kind.TEXT:
        for key in ("normal", "limits", "range", "unit"):
            if getattr(tag, key):
                document.blame(
                    (*path, key),
                    f"{document.place(path)} holds text and has {key!r}: remove {key!r}, or change its 'kind'",
                    key=True,
                )
    twice = [state for i, state in enumerate(tag.states) if state in tag.states[:i]]
    if twice:
        document.blame(
            (*path, "states"), f"the state {twice[0]!r} is given twice in {document.place(path)}: keep one of them"
        )


def _check_limits(document: Document, path: Path, tag: TagSection) -> None:
    for i, limit in enumerate(tag.limits):
        where = (*path, "limits", i)
        if tag.normal and limit.high is not None and limit.high < tag.normal[1]:
            document.blame(
                (*where, "high"), _inside(document, where, "high", limit.high, f"write {tag.normal[1]:g} or more")
            )
        if tag.normal and limit.low is not None and limit.low > tag.normal[0]:
            document.blame(
                (*where, "low"), _inside(document, where, "low", limit.low, f"write {tag.normal[0]:g} or less")
            )
        same = next((n for n in range(i) if (tag.limits[n].high, tag.limits[n].low) == (limit.high, limit.low)), None)
        if same is not None:
            document.blame(where, f"{document.place(where)} repeats limit {same + 1}: keep one of them")


def _inside(document: Document, where: Path, side: str, value: float, hint: str) -> str:
    return f"the {side} limit {value:g} lies inside the normal range in {document.place(where)}: {hint}"


def check_chart(document: Document, path: Path, chart: ChartSection, tags: Mapping[str, TagSection]) -> None:
    """Note which tags of a control chart are none of its type, or hold text."""
    for place, name in chart.tags():
        if name not in tags:
            said = f"{name!r} is no tag of type {path[1]!r} in {document.place(path)}: {expectation(name, tags)}"
            document.blame((*path, *place), said)
        elif tags[name].kind is Kind.TEXT:
            said = f"the tag {name!r} holds text in {document.place(path)}: a chart is made of numbers"
            document.blame((*path, *place), said)


def check_production(
    document: Document, path: Path, production: ProductionSection, tags: Mapping[str, TagSection]
) -> None:
    """Note which tags of production are none of its type, or of the wrong kind, and which states its tag lacks."""
    for place, name, text in production.tags():
        if name not in tags:
            said = f"{name!r} is no tag of type {path[1]!r} in {document.place(path)}: {expectation(name, tags)}"
            document.blame((*path, *place), said)
        elif (tags[name].kind is Kind.TEXT) is not text:
            holds, needed = ("numbers", "a text") if text else ("text", "a number")
            document.blame(
                (*path, *place), f"the tag {name!r} holds {holds} in {document.place(path)}: {needed} is needed there"
            )
    known = tags[production.state].states if production.state in tags else ()
    for state in production.states:
        if known and state not in known:
            said = f"{state!r} is no state of {production.state!r} in {document.place(path)}:"
            document.blame((*path, "states", state), f"{said} {expectation(state, known)}", key=True)
