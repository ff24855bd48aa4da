"""The headline: what was abnormal, in one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from shopfloor.services.reports.document import Report
from shopfloor.services.reports.words import Words

_POINTS: Final = 0.03
"""An OEE so far below what is usual is told."""
_LONG_S: Final = 900.0
"""A stop of this length is told."""
_TOLD: Final = 5


def headline(of: Report, words: Words) -> str:
    """What to know first; that nothing was found is said as well."""
    if not of.data.values:
        return words.t("head.nothing")
    said = [*_production(of, words), *_alarms(of, words), *_process(of, words), *_data(of, words)][:_TOLD]
    if not said:
        return words.t("head.fine")
    text = words.t("head.and").join(said)
    return text[0].upper() + text[1:] + words.t("head.end")


def _production(of: Report, words: Words) -> Iterator[str]:
    if of.oee and of.oee.usual:
        now, usual = of.oee.now.oee, of.oee.usual.oee
        if now is not None and usual is not None and usual - now > _POINTS:
            lower = words.number(100 * (usual - now), 1)
            yield words.t("head.oee", oee=words.share(now), points=lower, n=of.oee.usual_of)
    if of.downtime and of.downtime.longest and of.downtime.longest[0].seconds >= _LONG_S:
        stop = of.downtime.longest[0]
        reason = stop.reason or words.known("loss", stop.kind)
        yield words.t("head.stop", machine=stop.asset, time=words.span(stop.seconds), reason=reason)


def _alarms(of: Report, words: Words) -> Iterator[str]:
    load = of.alarms
    urgent = sum(one.priority == 1 for one in load.standing)
    if urgent:
        yield words.t("head.standing", n=urgent)
    if load.floods:
        yield words.t("head.flood", n=len(load.floods))
    if load.per_hour > load.guide_per_hour:
        yield words.t("head.alarms", n=words.number(load.per_hour, 1), guide=words.number(load.guide_per_hour))


def _process(of: Report, words: Words) -> Iterator[str]:
    out = [chart for chart in of.charts if chart.signals]
    if out:
        yield words.t("head.signals", n=len(out), all=len(of.charts), chart=out[0].title, machine=out[0].asset)
    asking = sum(one.status == "act" for one in of.predictions)
    if asking:
        yield words.t("head.act", n=asking)
    if of.trends and of.trends[0].outside > 0.01:
        worst = of.trends[0]
        yield words.t("head.band", tag=worst.title, asset=worst.asset, share=words.share(worst.outside, 0))


def _data(of: Report, words: Words) -> Iterator[str]:
    wrong = sum(not one.balanced for one in of.data.accounts)
    if wrong:
        yield words.t("head.unbalanced", n=wrong)
    if of.data.gaps:
        silent = {asset for gap in of.data.gaps for asset in gap.assets}
        yield words.t("head.gaps", n=len(silent))
