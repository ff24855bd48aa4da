"""The sections on what models said, on tags against their bands, and on what people did."""

from __future__ import annotations

from collections.abc import Iterator

from shopfloor.services.historian.options import NS
from shopfloor.services.reports.blocks import Block, Heading, Plot, Say, Table
from shopfloor.services.reports.document import Advice, Predicted, Report
from shopfloor.services.reports.plots.curves import trend
from shopfloor.services.reports.words import NONE, Words


def predictions(of: Report, words: Words) -> Iterator[Block]:
    """The most urgent predictions, what models asked for, and drift."""
    if not of.predictions:
        yield Say(words.t("predictions.none"))
    else:
        yield Say(words.t("predictions.more", n=len(of.predictions), all=of.predicted))
        keys = ("asset", "prediction", "state", "prediction.last", "interval", "prediction.range")
        rows = tuple(_predicted(one, words) for one in of.predictions)
        yield Table(words.t("predictions"), tuple(map(words.t, keys)), rows, "lllrrr")
    yield Heading(words.t("advice"), 3)
    if of.advice:
        keys = ("time", "asset", "prediction", "advice", "advice.seen", "advice.outcome")
        yield Table(
            words.t("advice"), tuple(map(words.t, keys)), tuple(_advice(one, words) for one in of.advice), "llllll"
        )
    else:
        yield Say(words.t("advice.none"))
    for one in of.drift:
        yield Say(words.t("drift", model=one.model, version=one.version, sentence=one.sentence))


def trends(of: Report, words: Words) -> Iterator[Block]:
    """The tags that left their bands for longest."""
    if not of.trends:
        yield Say(words.t("trends.none"))
    for one in of.trends:
        share = words.share(one.outside)
        says = words.t("trends.plot", tag=one.title, asset=one.asset, unit=one.unit or NONE, share=share)
        yield Plot(trend(one, of.head.start, of.head.end, says, words), says)


def setpoints(of: Report, words: Words) -> Iterator[Block]:
    """Who wrote what, and what the device answered."""
    if not of.setpoints:
        yield Say(words.t("setpoints.none"))
        return
    keys = ("time", "setpoint", "setpoint.from", "setpoint.to", "status", "by", "reason")
    rows = tuple(
        (words.clock(one.time), one.tag.split("/", 3)[-1], one.before, one.asked, one.status, one.by, one.reason)
        for one in of.setpoints
    )
    yield Table(words.t("setpoints"), tuple(map(words.t, keys)), rows, "llrrlll")


def notes(of: Report, words: Words) -> Iterator[Block]:
    """What people noted."""
    if not of.notes:
        yield Say(words.t("notes.none"))
        return
    rows = tuple((words.clock(one.time), one.by, one.subject, one.sentence) for one in of.notes)
    yield Table(words.t("notes"), tuple(map(words.t, ("time", "by", "asset", "note"))), rows, "llll")


def _predicted(one: Predicted, words: Words) -> tuple[str, ...]:
    last = words.number(one.value, 2, one.unit)
    ends = f"{words.number(one.low, 2)} – {words.number(one.high, 2)}" if one.low is not None else NONE
    least = f"{words.number(one.least, 2)} – {words.number(one.most, 2)}" if one.least is not None else NONE
    return one.asset, one.title, words.known("status", one.status), last, ends, least


def _advice(one: Advice, words: Words) -> tuple[str, ...]:
    over = (
        words.t("advice.open")
        if one.end is None
        else words.t("advice.over", time=words.span((one.end - one.start) / NS))
    )
    outcome = f"{over}; {words.t('advice.setpoints', n=one.setpoints)}" if one.setpoints else over
    return words.clock(one.start), one.asset, one.title, one.advice, one.by or NONE, outcome
