"""The section on alarms."""

from __future__ import annotations

from collections.abc import Iterator

from shopfloor.services.reports.blocks import Block, Figure, Figures, Heading, Plot, Say, Table
from shopfloor.services.reports.document import AlarmLoad, Report
from shopfloor.services.reports.plots.bars import hourly
from shopfloor.services.reports.words import Words


def alarms(of: Report, words: Words) -> Iterator[Block]:
    """Load beside the guide, floods, the most frequent, and those that stand."""
    load = of.alarms
    if not load.count:
        yield Say(words.t("alarms.none"))
    else:
        yield Figures(tuple(_figures(load, words)))
        guide = load.guide_per_hour * load.operators
        yield Plot(hourly(load.hours, load.hourly, guide, words.t("alarms.plot"), words), words.t("alarms.plot"))
        for start, end in load.floods:
            yield Say(words.t("alarms.flood", start=words.moment(start), end=words.clock(end)))
        rows = tuple((str(one.priority), one.title, one.asset, words.number(one.count)) for one in load.often)
        yield Heading(words.t("alarms.often"), 3)
        yield Table(words.t("alarms.often"), _head(words, "count"), rows, "lllr")
    yield from _standing(load, words)


def _figures(load: AlarmLoad, words: Words) -> Iterator[Figure]:
    levels = " · ".join(f"{level}: {n}" for level, n in load.priorities.items())
    yield Figure(words.t("alarms"), words.number(load.count), f"{words.t('priority')} {levels}")
    guide = words.t("alarms.guide", n=words.number(load.guide_per_hour))
    yield Figure(words.t("alarms.hour"), words.number(load.per_hour, 1), guide, load.per_hour > load.guide_per_hour)
    peak = words.t("alarms.guide", n=words.number(load.guide_peak))
    yield Figure(words.t("alarms.peak"), words.number(load.peak_10min, 1), peak, load.peak_10min > load.guide_peak)
    yield Figure(words.t("alarms.floods"), words.number(len(load.floods)), "", bool(load.floods))


def _standing(load: AlarmLoad, words: Words) -> Iterator[Block]:
    yield Heading(words.t("alarms.standing"), 3)
    if not load.standing:
        yield Say(words.t("alarms.standing.none"))
        return
    rows = tuple((str(one.priority), one.title, one.asset, words.moment(one.since)) for one in load.standing[:20])
    yield Table(words.t("alarms.standing"), _head(words, "since"), rows, "llll")


def _head(words: Words, last: str) -> tuple[str, ...]:
    return tuple(words.t(key) for key in ("priority", "alarm", "asset", last))
