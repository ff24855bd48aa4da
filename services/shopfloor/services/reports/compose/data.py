"""The section on data: how old and how complete it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shopfloor.services.historian.options import NS
from shopfloor.services.reports.blocks import Block, Figure, Figures, Say, Table
from shopfloor.services.reports.document import Completeness, Report, Silence
from shopfloor.services.reports.words import NONE, Words


def data(of: Report, words: Words) -> Iterator[Block]:
    """Age, bad share, gaps and the ledger."""
    found = of.data
    yield Figures((_newest(of, words), *_counts(found, words)))
    if found.gaps:
        rows = tuple(_gap(gap, words) for gap in found.gaps)
        yield Say(words.t("data.gaps"))
        yield Table(words.t("data.gaps"), (words.t("asset"), words.t("time"), words.t("length")), rows, "llr")
    elif found.values:
        yield Say(words.t("data.no.gaps"))
    yield from _ledger(found, words)


def _newest(of: Report, words: Words) -> Figure:
    newest = of.data.newest
    if newest is None:
        return Figure(words.t("data.newest"), NONE, abnormal=True)
    age = max(0.0, (of.head.end - newest) / NS)
    return Figure(words.t("data.newest"), words.clock(newest), words.t("data.age", age=words.span(age)), age > 600)


def _counts(found: Completeness, words: Words) -> Iterator[Figure]:
    bad = found.bad / found.values if found.values else None
    yield Figure(words.t("data.values"), words.number(found.values))
    yield Figure(words.t("data.bad"), words.share(bad, 2), words.number(found.bad), bool(bad and bad > 0.01))
    of_all = words.t("data.of", n=words.number(found.tags))
    yield Figure(words.t("data.silent"), words.number(found.silent), of_all, found.silent > 0)


def _ledger(found: Completeness, words: Words) -> Iterator[Block]:
    if not found.accounts:
        yield Say(words.t("data.no.ledger"))
        return
    wrong = [one for one in found.accounts if not one.balanced]
    for one in wrong:
        yield Say(words.t("data.unbalanced", source=one.source, gateway=one.gateway, sentence=one.sentence))
    if not wrong:
        yield Say(words.t("data.balanced"))
    waiting = sum(one.spooled for one in found.accounts)
    if waiting:
        yield Say(words.t("data.waiting", n=words.number(waiting)))


def _together(titles: Sequence[str]) -> str:
    """Assets that were silent together.

    >>> _together(["CNC 01"]), _together(["CNC 01", "CNC 02", "CNC 03", "CNC 04"])
    ('CNC 01', 'CNC 01 … CNC 04 (4)')
    """
    return ", ".join(titles) if len(titles) < 4 else f"{titles[0]} … {titles[-1]} ({len(titles)})"


def _gap(gap: Silence, words: Words) -> tuple[str, ...]:
    span = f"{words.moment(gap.start)} – {words.clock(gap.end)}"
    return _together(gap.assets), span, words.span((gap.end - gap.start) / NS)
