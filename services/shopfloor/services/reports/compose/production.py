"""The sections on production: OEE, states, stops, what was made, energy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from shopfloor.services.reports.blocks import Block, Figure, Figures, Heading, Plot, Say, Table
from shopfloor.services.reports.document import Cause, EnergyLine, Factors, Made, Oee, Report, Stood
from shopfloor.services.reports.plots import bars
from shopfloor.services.reports.plots.states import states as drawn
from shopfloor.services.reports.words import NONE, Words

_FACTORS: Final = ("oee", "availability", "effectiveness", "quality_ratio")
_LEAST_S: Final = 1.0
_CAUSES: Final = 12


def oee(of: Report, words: Words) -> Iterator[Block]:
    """Factors and losses beside those of the period before and what is usual."""
    if of.oee is None:
        yield Say(words.t("oee.none"))
        return
    found, unit = of.oee, of.head.unit
    if found.now.losses["unknown"] >= found.now.planned - _LEAST_S:
        yield Say(words.t("oee.unknown"))
    yield Figures(tuple(_factor(found, name, words) for name in _FACTORS))
    head = (
        words.t("loss"), words.t("this", unit=words.t(f"unit.{unit}")), words.t("before", unit=words.t(f"Unit.{unit}")),
        words.t("usual", n=found.usual_of),
    )  # fmt: skip
    rows = [_row(words.t(name), found, lambda f, name=name: words.share(getattr(f, name))) for name in _FACTORS]
    kinds = [kind for kind, _ in sorted(found.now.losses.items(), key=lambda one: -one[1]) if _shown(found, kind)]
    rows += [_row(words.known("loss", k), found, lambda f, k=k: words.span(f.losses[k])) for k in kinds]
    yield Table(words.t("oee.title"), head, tuple(rows), "lrrr")
    if found.now.losses["speed"] <= -_LEAST_S:
        yield Say(words.t("loss.gain", time=words.span(-found.now.losses["speed"])))
    lost = [k for k in kinds if k != "effective"]
    usual = found.usual
    bar = [(words.known("loss", k), found.now.losses[k], usual.losses[k] if usual else None) for k in lost]
    if bar:
        yield Plot(bars.compared(bar, words.t("loss.plot"), words), words.t("loss.plot"))


def states(of: Report, words: Words) -> Iterator[Block]:
    """A lane for every machine."""
    if of.downtime is None or not of.downtime.lanes:
        yield Say(words.t("states.none"))
    else:
        yield Plot(drawn(of.downtime.lanes, of.head.start, of.head.end, words), words.t("states"))


def stops(of: Report, words: Words) -> Iterator[Block]:
    """A Pareto chart of their causes, and the longest."""
    if of.downtime is None or not of.downtime.stops:
        yield Say(words.t("stops.none"))
        return
    rows = [
        (_cause(one, words), one.seconds, f"{words.span(one.seconds)} · {one.count}×") for one in of.downtime.causes
    ]
    says = words.t("stops.pareto")
    yield Plot(bars.ranked(rows[:_CAUSES], says, words), says)
    head = tuple(words.t(key) for key in ("machine", "since", "length", "reason", "comment"))
    longest = tuple(_stop(one, words) for one in of.downtime.longest)
    yield Heading(words.t("stops.longest", n=of.downtime.stops), 3)
    yield Table(words.t("stops"), head, longest, "llrll")


def production(of: Report, words: Words) -> Iterator[Block]:
    """What was made against what was possible; rejects and orders."""
    if of.oee is None or not of.oee.total.made:
        yield Say(words.t("production.none"))
    else:
        keys = ("machine", "made", "good", "scrap", "rework", "fpy", "possible", "reached", "oee")
        rows = [_made(one, one.title, words) for one in of.oee.machines]
        rows.append(_made(of.oee.total, words.t("total"), words))
        yield Table(words.t("production"), tuple(map(words.t, keys)), tuple(rows), "lrrrrrrrr", last=True)
        yield Say(words.t("possible.means"))
    yield from _rejects(of, words)
    yield Heading(words.t("orders"), 3)
    if not of.orders:
        yield Say(words.t("orders.none"))
        return
    names = ("order", "item", "state", "quantity", "order.here", "order.all", "scrap")
    lines = tuple(
        (one.number, one.item, words.known("order", one.state), words.number(one.quantity), words.number(one.here),
         words.number(one.good), words.number(one.scrap)) for one in of.orders
    )  # fmt: skip
    yield Table(words.t("orders"), tuple(map(words.t, names)), lines, "lllrrrr")


def energy(of: Report, words: Words) -> Iterator[Block]:
    """KWh in all, by good part, and while machines stood."""
    if not of.energy:
        yield Say(words.t("energy.none"))
        return
    total, good = sum(one.kwh for one in of.energy), sum(one.good for one in of.energy)
    base = [one.base_load for one in of.energy if one.base_load is not None]
    yield Figures((
        Figure(words.t("energy"), words.number(total, 1, "kWh")),
        Figure(words.t("energy.per"), words.number(total / good if good > 0 else None, 2, "kWh")),
        Figure(words.t("energy.standing"), words.number(sum(one.standing for one in of.energy), 1, "kWh")),
        Figure(words.t("energy.base"), words.number(sum(base) if base else None, 2, "kW")),
    ))  # fmt: skip
    keys = ("machine", "energy", "energy.running", "energy.standing", "energy.base", "energy.per")
    rows = tuple(_energy(one, words) for one in of.energy)
    yield Table(words.t("energy"), tuple(map(words.t, keys)), rows, "lrrrrr")


def _factor(found: Oee, name: str, words: Words) -> Figure:
    now = getattr(found.now, name)
    usual = getattr(found.usual, name) if found.usual else None
    if now is None or usual is None:
        return Figure(words.t(name), words.share(now))
    points = 100 * (now - usual)
    note = words.t("points", n=f"{points:+.1f}".replace("-", "−"))
    return Figure(words.t(name), words.share(now), note, points < -3)


def _row(name: str, found: Oee, told: object) -> tuple[str, ...]:
    def cell(one: Factors | None) -> str:
        return NONE if one is None or not callable(told) else str(told(one))

    return name, cell(found.now), cell(found.before), cell(found.usual)


def _shown(found: Oee, kind: str) -> bool:
    return any(abs(one.losses[kind]) >= _LEAST_S for one in (found.now, found.before, found.usual) if one)


def _cause(one: Cause, words: Words) -> str:
    return one.reason.replace("/", " · ") or words.t("reason.none", kind=words.known("loss", one.kind))


def _stop(one: Stood, words: Words) -> tuple[str, ...]:
    length = words.span(one.seconds)
    reason = one.reason.replace("/", " · ") or words.t("reason.none", kind=words.known("loss", one.kind))
    said = f"{one.comment} ({one.by})" if one.comment and one.by else one.comment
    return one.asset, words.clock(one.start), words.t("stops.open", time=length) if one.open else length, reason, said


def _made(one: Made, title: str, words: Words) -> tuple[str, ...]:
    yield_ = one.good / one.made if one.made else None
    reached = one.made / one.possible if one.possible else None
    heard = one.made or one.factors.availability is not None
    counts = (words.number(n if heard else None) for n in (one.made, one.good, one.scrap, one.rework))
    possible = words.number(one.possible)
    return title, *counts, words.share(yield_), possible, words.share(reached, 0), words.share(one.factors.oee)


def _rejects(of: Report, words: Words) -> Iterator[Block]:
    yield Heading(words.t("rejects"), 3)
    if not of.rejects:
        yield Say(words.t("rejects.none"))
        return
    rows = tuple(
        (words.known("kind", one.kind), words.known("reject", one.reason), words.number(one.quantity))
        for one in of.rejects
    )
    yield Table(words.t("rejects"), tuple(map(words.t, ("kind", "reason", "quantity"))), rows, "llr")


def _energy(one: EnergyLine, words: Words) -> tuple[str, ...]:
    per = one.kwh / one.good if one.good > 0 else None
    kwh = (words.number(value, 1, "kWh") for value in (one.kwh, one.running, one.standing))
    return one.title, *kwh, words.number(one.base_load, 2, "kW"), words.number(per, 2, "kWh")
