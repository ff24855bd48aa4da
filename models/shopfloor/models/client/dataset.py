"""From events to rows to learn from, in one call."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from shopfloor.models.client.draw import Drawn, Rule, draw
from shopfloor.models.client.events import Event, InState, Known, Scrap
from shopfloor.models.client.labelled import Dataset
from shopfloor.models.client.moments import Duration, Moment, length, ns
from shopfloor.models.client.reading import assets_with, described, read, windows
from shopfloor.models.client.server import HERE, Server
from shopfloor.models.client.spans import UNKNOWN, Span
from shopfloor.models.columns import SECOND
from shopfloor.models.streaming import StreamSpec
from shopfloor.plant import QuestionError

_MOST: Final = 250_000_000
_HOUR: Final = 3600 * SECOND
Rows = Iterable[tuple[str, Moment, Moment, str]]


def dataset(
    event: Event | Rows | None = None,
    *,
    tags: Sequence[str] = (),
    start: Moment | None = None,
    end: Moment | None = None,
    assets: str | Sequence[str] = "*",
    before: Duration = "10min",
    after: Duration = 0,
    window: Duration | None = None,
    every: Duration = "10s",
    hold: Duration = "1min",
    hop: Duration | None = None,
    negatives: float | None = 3.0,
    seed: int = 0,
    spec: StreamSpec | None = None,
    url: str = HERE,
    token: str | None = None,
    timeout_s: float = 60.0,
) -> Dataset:
    """Moments before events, and quiet ones, with all that could be seen at each of them.

    event       `alarms(…)`, `scrap(…)`, `downtime(…)`, or rows (asset, start, end, label); None: every moment, no label
    tags        names of tags in the asset (`spindle.load`), or `spec` with the tags, features and times of a live model
    start, end  by default the last hour; nothing after `end` is looked at
    assets      selectors; those that have all of the tags, and the one that tells of the event
    before      a moment carries the label of an event that begins within so long after it
    after       so long after an event nothing is drawn
    window      how much of the past is shown (default: `before`), in steps of `every`; a good value is held for `hold`
    hop         between two moments before an event, and between two quiet ones (default: `window`)
    negatives   quiet moments for each one before an event, drawn by `seed` among all of them; None: all

    A window never touches an event, its `after`, or a time of which nobody knows, and shows values at and before its
    moment alone. Nothing found, and what the server refuses, raise `QuestionError`; a server that is away `StoreError`.

        dataset(downtime("STOPPED"), tags=["spindle.load"], start="2026-11-01", end="2026-11-08")
    """
    server = Server(url, token, timeout_s)
    rule = _rule(before, after, window, spec.every * SECOND if spec else length("every", every), hop, negatives, seed)
    spec = spec or _plain(tags, rule, length("hold", hold))
    until = time.time_ns() if end is None else ns(end)
    begun = until - _HOUR if start is None else ns(start)
    asked = event if event is None or isinstance(event, Event) else Known.of(event)
    rule = rule if asked is not None else replace(rule, before=0, after=0, negatives=None)
    chosen = [assets] if isinstance(assets, str) else list(assets)
    told_by = (asked.tag,) if isinstance(asked, Scrap | InState) else ()
    names = assets_with(server, chosen, (*spec.tags, *told_by))
    spans = asked.find(server, names, begun, until) if asked is not None else []
    drawn = _drawn(rule, spans, names, begun, until, asked is not None)
    query = {
        "event": None if asked is None else asked.describe(), "assets": chosen, "tags": list(spec.tags), "start": begun,
        "end": until, "spec": spec.sha, "before_ns": rule.before, "after_ns": rule.after, "window_ns": rule.window,
        "every_ns": rule.every, "hop_ns": rule.hop, "negatives": rule.negatives, "seed": seed,
        "reach_s": max(spec.lookback, spec.hold),
    }  # fmt: skip
    return _filled(server, spec, rule, drawn, tuple(spans), query)


def _rule(
    before: Duration, after: Duration, window: Duration | None, every: int, hop: Duration | None,
    negatives: float | None, seed: int,
) -> Rule:  # fmt: skip
    ahead = length("before", before)
    shown = ahead if window is None else length("window", window)
    apart = shown if hop is None else length("hop", hop)
    step = max(every, SECOND)
    for name, value in (("before", ahead), ("window", shown), ("hop", apart), ("every", every)):
        if not value or every % SECOND or value % step:
            said = f"whole seconds and a multiple of every ({every / SECOND:g} s)"
            raise QuestionError(f"{name} is {value / SECOND:g} s, expected {said}.")
    return Rule(ahead, length("after", after), shown, every, apart, negatives, seed)


def _plain(tags: Sequence[str], rule: Rule, hold: int) -> StreamSpec:
    """The tags as they are: a row knows nothing but what is held at its moment."""
    if isinstance(tags, str) or not tags:
        raise QuestionError(
            "No tags are named: give their names in the asset, as in tags=['spindle.load'], or a spec=."
        )
    every = rule.every // SECOND
    return StreamSpec.of(
        tuple(tags), every=every, hold=max(hold // SECOND, 1), lookback=max(rule.window // SECOND, every)
    )


def _drawn(rule: Rule, spans: Sequence[Span], assets: Sequence[str], start: int, end: int, wanted: bool) -> Drawn:
    of_each: dict[str, list[Span]] = {asset: [] for asset in assets}
    for span in spans:
        of_each[span.asset].append(span)
    if wanted and not any(one.label != UNKNOWN for one in spans):
        raise QuestionError(
            f"No such event of {len(assets)} assets in {(end - start) / _HOUR:.3g} h: ask for a longer time, or look at"
            " /api/v1/alarms/journal and the history of the tag."
        )
    drawn = draw(rule, of_each, start, end)
    if not len(drawn.time):
        raise QuestionError("No moment could be drawn: the time is shorter than a window, or events fill it.")
    return drawn if wanted else replace(drawn, label=np.full(len(drawn.time), UNKNOWN, object))


def _filled(
    server: Server, spec: StreamSpec, rule: Rule, drawn: Drawn, spans: tuple[Span, ...], query: Mapping[str, Any]
) -> Dataset:
    steps = rule.window // rule.every
    if len(drawn.time) * steps * len(spec.tags) > _MOST:
        raise QuestionError(
            f"{len(drawn.time)} windows of {steps} steps are too much at once: choose a longer hop or fewer negatives."
        )
    back = max(rule.window, 2 * spec.lookback * SECOND) + spec.hold * SECOND
    held = {
        asset: read(server, asset, spec, np.unique(drawn.time[drawn.asset == asset]), back)
        for asset in sorted(set(drawn.asset))
    }
    shown = windows(spec, held, drawn.asset.tolist(), drawn.time, steps)
    seen = ~np.isnan(shown[:, -1]).all(axis=1)
    if not seen.any():
        raise QuestionError(
            f"None of {len(drawn.time)} moments has a good value of {', '.join(spec.tags)[:200]}: hold longer."
        )
    asset, moments = drawn.asset[seen], drawn.time[seen]
    x = described(spec, held, asset.tolist(), moments)
    notes = _notes(drawn, int((~seen).sum()))
    return Dataset(spec, asset, moments, drawn.label[seen], shown[seen], x, spans, query, notes, held)


def _notes(drawn: Drawn, unseen: int) -> tuple[str, ...]:
    why = "another event, its `after`, or a time of which nobody knows lies within their window, or it begins too early"
    told = [f"{drawn.without} events have no moment: {why}."] if drawn.without else []
    return (*told, *([f"{unseen} moments are left out: no tag had a good value then."] if unseen else []))
