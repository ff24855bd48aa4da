"""The whole page: title, headline and sections."""

from __future__ import annotations

from shopfloor.services.reports.blocks import Block, Heading, Page, Say
from shopfloor.services.reports.compose.alarms import alarms
from shopfloor.services.reports.compose.data import data
from shopfloor.services.reports.compose.headline import headline
from shopfloor.services.reports.compose.models import notes, predictions, setpoints, trends
from shopfloor.services.reports.compose.production import energy, oee, production, states, stops
from shopfloor.services.reports.compose.quality import quality
from shopfloor.services.reports.document import Head, Report
from shopfloor.services.reports.words import Language, Words

_SECTIONS = (
    ("data", data), ("oee.title", oee), ("states", states), ("stops", stops), ("production", production),
    ("alarms", alarms), ("quality", quality), ("energy", energy), ("trends", trends), ("predictions", predictions),
    ("setpoints", setpoints), ("notes", notes),
)  # fmt: skip


def page(of: Report, language: Language) -> Page:
    """A report in a language."""
    words = Words(language, of.head.timezone)
    blocks: list[Block] = [Say(headline(of, words), strong=True)]
    for key, section in _SECTIONS:
        blocks += [Heading(words.t(key)), *section(of, words)]
    title = words.t(f"title.{of.head.unit}", shift=words.known("shift", of.head.shift), day=of.head.day)
    return Page(language, title, _lines(of.head, words), tuple(blocks), f"{of.head.plant} · {title}")


def _lines(head: Head, words: Words) -> tuple[str, ...]:
    """Where, when, and who asked."""
    place = head.title if head.place else words.t("whole")
    span = words.t(
        "from.to", start=words.moment(head.start), end=words.moment(head.end), zone=words.zone(head.start)
    )  # fmt: skip
    by = words.t(head.by) if head.by in {"schedule", "local"} else head.by
    said = [f"{head.plant} · {place}", span]
    said += [] if head.over else [words.t("running", end=words.moment(head.end))]
    return (*said, words.t("made.by", made=words.moment(head.made), by=by))
