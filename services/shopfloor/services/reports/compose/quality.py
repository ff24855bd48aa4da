"""The section on quality."""

from __future__ import annotations

from collections.abc import Iterator

from shopfloor.services.reports.blocks import Block, Plot, Say, Table
from shopfloor.services.reports.document import ChartLine, Report
from shopfloor.services.reports.plots.curves import control
from shopfloor.services.reports.words import NONE, Words


def quality(of: Report, words: Words) -> Iterator[Block]:
    """All charts in a table; those that signalled drawn."""
    if not of.charts:
        yield Say(words.t("quality.none"))
        return
    shown = [one for one in of.charts if one.points]
    if len(shown) < len(of.charts):
        yield Say(words.t("quality.silent", n=len(of.charts) - len(shown), all=len(of.charts)))
    if not shown:
        return
    keys = ("machine", "chart", "quality.points", "quality.signals", "quality.rules", "quality.cpk", "quality.outside")
    rows = tuple(_row(one, words) for one in shown)
    yield Table(words.t("quality"), tuple(map(words.t, keys)), rows, "llrrlrr")
    if any(one.normal is False for one in of.charts):
        yield Say(words.t("quality.odd"))
    for chart in of.charts:
        says = words.t("quality.plot", chart=chart.title, machine=chart.asset, unit=chart.unit or NONE)
        picture = control(chart, of.head.start, of.head.end, says, words)
        if picture:
            yield Plot(picture, says)
    more = sum(bool(one.signals) and one.plot is None for one in of.charts)
    if more:
        yield Say(words.t("quality.more", n=more))


def _row(one: ChartLine, words: Words) -> tuple[str, ...]:
    rules = ", ".join(f"{rule} ({n})" for rule, n in sorted(one.rules.items(), key=lambda pair: -pair[1])[:3])
    counts = words.number(one.points), words.number(one.signals)
    return one.asset, one.title, *counts, rules or NONE, _cpk(one, words), words.share(one.outside)


def _cpk(one: ChartLine, words: Words) -> str:
    if one.cpk is None:
        return NONE
    ends = f" ({words.number(one.low, 2)}–{words.number(one.high, 2)})" if one.low is not None else ""
    return words.number(one.cpk, 2) + ends + ("*" if one.normal is False else "")
