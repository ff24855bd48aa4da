"""What a plant file says of alarms must fit its tags and its shifts."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from shopfloor.plant.batch import Kind
from shopfloor.plant.config.alarms import AlarmsSection, SuppressSection
from shopfloor.plant.config.document import Document
from shopfloor.plant.config.sections import PlantFile, TypeSection
from shopfloor.plant.config.words import Path, expectation


def check_type(document: Document, path: Path, section: TypeSection) -> None:
    """Note which suppressions and first-out groups of a type name what it does not have."""
    limited = [name for name, tag in section.tags.items() if tag.limits]
    judged = sorted({*limited, *(chart.tag for chart in section.quality.values())})
    for i, suppression in enumerate(section.suppress):
        where = (*path, "suppress", i)
        _check_state(document, where, suppression, section)
        _check_patterns(document, where, suppression.tags if "tags" in suppression.model_fields_set else (), limited)
    for name, group in section.first_out.items():
        _check_patterns(document, (*path, "first_out", name), group.tags, judged)


def checked_alarms(document: Document, file: PlantFile) -> AlarmsSection:
    """The section on alarms; quiet shifts that the plant does not have are noted in the document."""
    known = [shift.name for shift in file.plant.shifts]
    for r, route in enumerate(file.alarms.notify.routes):
        for s, step in enumerate(route.steps):
            for name in step.quiet:
                if name not in known:
                    said = f"{name!r} is no shift of 'plant' in the route {route.name!r}: {expectation(name, known)}"
                    document.blame(("alarms", "notify", "routes", r, "steps", s, "quiet"), said)
    return file.alarms


def _check_state(document: Document, where: Path, suppression: SuppressSection, section: TypeSection) -> None:
    tag = section.tags.get(suppression.tag)
    if tag is None:
        said = f"{suppression.tag!r} is no tag in {document.place(where)}: {expectation(suppression.tag, section.tags)}"
        document.blame((*where, "tag"), said)
        return
    if tag.kind is not Kind.TEXT:
        said = f"the tag {suppression.tag!r} holds numbers in {document.place(where)}: name a tag of 'kind: text'"
        document.blame((*where, "tag"), said)
    for state in suppression.states:
        if tag.states and state not in tag.states:
            said = f"{state!r} is no state in {document.place(where)}: {expectation(state, tag.states)}"
            document.blame((*where, "states"), said)


def _check_patterns(document: Document, where: Path, patterns: Iterable[str], limited: list[str]) -> None:
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in limited):
            said = f"{pattern!r} fits no tag with limits in {document.place(where)}: {expectation(pattern, limited)}"
            document.blame((*where, "tags"), said)
