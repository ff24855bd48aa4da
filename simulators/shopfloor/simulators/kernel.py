"""The batch kernel: many steps of one asset with its whole sensor chain and exception reporting.

Plain Python, so that a test can compare it with its compiled form (see `compile`) and with stepping.
"""

from __future__ import annotations

import math
from typing import Any

from shopfloor.simulators.noise import SUBS, stream
from shopfloor.simulators.sensor import OK, STUCK, quantise, sense, spell


def step(x: Any, u: Any, p: Any, f: Any, y: Any, key: int, n: int) -> None:
    """The line's own step function takes this place when the kernel is bound to a line."""
    raise NotImplementedError


def run(  # noqa: C901, PLR0912, PLR0917 (one loop over plain columns is what compiles well)
    x: Any, u: Any, lag: Any, held: Any, last: Any, since: Any, p: Any, f: Any, mode: Any, y: Any, key: int, n: int,
    count: int, rate: Any, alpha: Any, noise: Any, scale: Any, low: Any, high: Any, deadband: Any, sampled: Any,
    setpoint_tag: Any, every: int, kept: Any, kept_at: Any, out_tag: Any, out_n: Any, out_value: Any,
    out_quality: Any, truth_state: Any, truth_every: int, truth: Any,
) -> int:  # fmt: skip
    """Advance one asset by `count` steps from step `n`; answers how many rows were reported.

    `every` = 0 reports nothing. Else a sampled tag is reported when it has moved by more than its deadband, when its
    quality changes, or after `every` steps; tags on change as they change. `kept` [tag] is the last reported value
    (NaN: report at once), `kept_at` [tag, 2] its step and quality. `truth` [row, state] keeps hidden states.
    """
    rows = 0
    tags = len(rate)
    lane = [0] * tags
    for tag in range(tags):
        lane[tag] = stream(key, tag * SUBS)
    for i in range(count):
        now = n + i
        step(x, u, p, f, y, key, now)
        for k in range(len(setpoint_tag)):
            y[setpoint_tag[k]] = u[k]
        if truth_every > 0 and now % truth_every == 0:
            row = now // truth_every - (n + truth_every - 1) // truth_every
            for k in range(len(truth_state)):
                truth[row, k] = x[truth_state[k]]
        odd = spell(key, now, len(sampled))
        odd_tag = sampled[odd >> 2] if odd > 0 else -1
        for tag in range(tags):
            if rate[tag] == 0:
                code = quantise(y[tag], scale[tag])
                lag[tag] = y[tag]
                if code != last[tag] and not math.isnan(code):
                    last[tag] = code
                    since[tag] = now
                    if every > 0:
                        out_tag[rows], out_n[rows], out_value[rows], out_quality[rows] = tag, now, code, 0
                        rows += 1
                continue
            if math.isnan(lag[tag]) or alpha[tag] == 1.0:
                lag[tag] = y[tag]
            else:
                lag[tag] = lag[tag] + (y[tag] - lag[tag]) * alpha[tag]
            how = mode[tag]
            if how == OK and tag == odd_tag:
                how = odd & 3
            if every == 0 and how != STUCK:
                held[tag] = math.nan
                continue
            value, quality = sense(lag[tag], lane[tag], now, noise[tag], low[tag], high[tag], scale[tag], how)
            if how == STUCK:
                if math.isnan(held[tag]):
                    held[tag] = value
                value, quality = held[tag], 0
            else:
                held[tag] = math.nan
            if every == 0:
                continue
            same = quality == kept_at[tag, 1] and now - kept_at[tag, 0] < every
            if same and (abs(value - kept[tag]) <= deadband[tag] or (math.isnan(value) and math.isnan(kept[tag]))):
                continue
            kept[tag] = value
            kept_at[tag, 0], kept_at[tag, 1] = now, quality
            out_tag[rows], out_n[rows], out_value[rows], out_quality[rows] = tag, now, value, quality
            rows += 1
    return rows
