"""`shopfloor models replay`: what a version would have said over a stored time, and a past prediction made anew."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from shopfloor.plant import QuestionError, ShopfloorError
from shopfloor.services.exchange.moments import moment

HELP: Final = "what a version would have said over a stored time, beside the champion; or a past prediction anew"
_EVERY_S: Final = 0.3
Ask = Callable[[str, dict[str, Any] | None], Any]


def add_arguments(sub: argparse.ArgumentParser) -> None:
    """The command line."""
    sub.add_argument("name", nargs="?", help="the model, as in tool-life; with --data the path of a bundle")
    sub.add_argument("number", nargs="?", type=int, help="the version")
    sub.add_argument("--start", metavar="TIME", help="from, as in 2026-01-31T06:00:00Z")
    sub.add_argument("--end", metavar="TIME", help="up to, without it")
    sub.add_argument("--scope", default="*", metavar="SELECTOR", help="as in 'delta/frames/*/cell-a' (default: *, all)")
    sub.add_argument("--against", metavar="VERSION", help="beside this version (default: the one that speaks)")
    sub.add_argument("--cost-false-alarm", type=float, default=1.0, metavar="X", help="of one (default: 1)")
    sub.add_argument("--cost-miss", type=float, default=10.0, metavar="X", help="of one missed event (default: 10)")
    sub.add_argument("--by", default="", metavar="PERSON", help="who asks, for the audit")
    sub.add_argument("--prediction", metavar="ID", help="make this recorded prediction anew, and compare the bits")
    sub.add_argument("--data", type=Path, metavar="DIR", help="replay a bundle by its path over this data folder")
    sub.add_argument("--json", action="store_true", help="for programs")


def run(args: argparse.Namespace, ask: Ask) -> int:
    """Replay; with --prediction 1 when the bits differ."""
    if args.prediction:
        said = ask(f"registry/predictions/{quote(args.prediction, safe='')}/replay", {})
        _write(args, said, again_text)
        return int(not said["equal"])
    if not args.name or not args.start or not args.end or (args.number is None and args.data is None):
        raise QuestionError("A replay needs a model, its version, --start and --end; or --prediction with an id.")
    span = (moment(args.start), moment(args.end))
    _write(args, _of_folder(args, span) if args.data else _of_server(args, span, ask), table)
    return 0


def _write(args: argparse.Namespace, said: dict[str, Any], text: Callable[[dict[str, Any]], str]) -> None:
    sys.stdout.write(f"{json.dumps(said) if args.json else text(said)}\n")


def _of_server(args: argparse.Namespace, span: tuple[int, int], ask: Ask) -> dict[str, Any]:
    body = {key: getattr(args, key) for key in ("number", "scope", "cost_false_alarm", "cost_miss", "by")}
    body |= {"start": span[0] / 1e6, "end": span[1] / 1e6}
    if args.against is not None:
        body["against"] = _version(args.against)
    job = ask(f"registry/{quote(args.name, safe='')}/replay", body)
    try:
        while job["state"] == "running":
            _progress(job["progress"])
            time.sleep(_EVERY_S)
            job = ask(f"registry/replays/{job['id']}", None)
    except KeyboardInterrupt:
        ask(f"registry/replays/{job['id']}/cancel", {})
        raise
    _progress(None)
    if job["state"] != "done":
        raise ShopfloorError(job["sentence"])
    result: dict[str, Any] = job["result"]
    return result


def _of_folder(args: argparse.Namespace, span: tuple[int, int]) -> dict[str, Any]:
    """Without a server: bundles by their paths, over the store in a data folder; nothing is kept."""
    from shopfloor.services.brain.replay.outside import replay_folder

    paths = [Path(args.name)] + ([Path(args.against)] if args.against else [])
    costs = (args.cost_false_alarm, args.cost_miss)
    found = replay_folder(args.data, paths, args.scope, span, costs, lambda done, total: _progress(done / total))
    _progress(None)
    return found


def _version(text: str) -> int:
    if not text.isdecimal():
        raise QuestionError(f"{text[:80]!r} is no version: give its number.")
    return int(text)


def _progress(share: float | None) -> None:
    """One line on a terminal, nothing where the output is read by a program."""
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K" if share is None else f"\r\x1b[KReplaying {100 * share:.0f} %")
        sys.stderr.flush()


def table(said: dict[str, Any]) -> str:
    """A replay as lines for people: one column for each version."""
    columns = [said["version"], *([said["against"]] if said["against"] else [])]
    evidence = said["evidence"]
    losses = [evidence["loss"], evidence["loss_against"]]
    days = (said["end"] - said["start"]) / 86_400_000
    rows = [
        ("", [f"version {c['number']}" if c["number"] else "bundle" for c in columns]),
        ("windows (without a score)", [f"{c['windows']:,} ({c['silent']:,})" for c in columns]),
        ("mean loss", [_number(loss) for loss in losses[: len(columns)]]),
        ("hits / misses", [f"{c['hits']:,} / {c['misses']:,}" for c in columns]),
        ("false / quiet", [f"{c['false']:,} / {c['quiet']:,}" for c in columns]),
        ("alarms a day", [f"{c['alarms_per_day']:.3g}" for c in columns]),
        ("alarms true / false", [f"{c['alarms_true']:,} / {c['alarms_false']:,}" for c in columns]),
        ("events caught", [f"{c['caught']:,} of {c['events']:,}" for c in columns]),
        ("lead, median / least (min)", [f"{_number(c['lead_median'])} / {_number(c['lead_least'])}" for c in columns]),
        ("cost", [_number(c["cost"]) for c in columns]),
    ]
    text = [f"{said['assets']} assets, {days:.3g} days, {evidence['windows']:,} windows with a truth"]
    text += [f"{name:<28}" + "".join(f"{cell:>22}" for cell in cells) for name, cells in rows]
    return "\n".join([*text, *_sentences(said)])


def _sentences(said: dict[str, Any]) -> list[str]:
    evidence, cpu = said["evidence"], said["cpu_s"]
    found = []
    if evidence["coverage"] is not None:
        found.append(
            f"Its intervals held {evidence['coverage']:.1%} of truths, {evidence['nominal']:.0%} are promised."
        )
    if evidence["gap"] is not None:
        found.append(f"Its probabilities are {evidence['gap']:+.1%} off what happened.")
    if evidence["upper"] is not None:
        span = f"{evidence['lower']:+.3g} to {evidence['upper']:+.3g}"
        found.append(f"Loss beside version {evidence['against']}: {evidence['difference']:+.3g} ({span}).")
    speed = f"{said['windows_per_cpu_s']:,} windows per CPU-second" if said["windows_per_cpu_s"] else "no windows"
    found.append(f"CPU: reading {cpu['reading']:.1f} s, features and scores {speed}.")
    return found


def again_text(said: dict[str, Any]) -> str:
    """A prediction made anew, for people.

    >>> values = {"value": 1.5, "low": 1.0, "high": 2.0}
    >>> said = {"id": "ab", "name": "life", "number": 2, "asset": "a/b/c/d/m-1", "equal": True, "why": ""}
    >>> print(again_text({**said, "recorded": values, "anew": values, "features": []}))
    version 2 of life on a/b/c/d/m-1: value 1.5, low 1.0, high 2.0
    Equal to the last bit.
    """
    lines = [f"version {said['number']} of {said['name']} on {said['asset']}: {_values(said['recorded'])}"]
    if said["equal"]:
        return "\n".join([*lines, "Equal to the last bit."])
    lines += [f"made anew: {_values(said['anew'])}"] if said["anew"] else []
    names = said["features"]
    shown = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
    return "\n".join([*lines, f"It differs. {said['why']}", *([f"Other features: {shown}."] if names else [])])


def _values(said: dict[str, float | None]) -> str:
    return ", ".join(f"{key} {value!r}" for key, value in said.items())


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:,.4g}"
