"""`shopfloor bench`: one subcommand for each thing that is measured."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from shopfloor.services.bench.cache import Cache
from shopfloor.services.bench.clients import Place
from shopfloor.services.bench.machine import command
from shopfloor.services.bench.report import Page

_DOCS: Final = Path("docs/benchmarks")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    names = "|".join(_ACTIONS)
    actions = parser.add_subparsers(dest="action", required=True, metavar=names)
    _ingest(actions.add_parser("ingest", help="what one CPU-second takes in, beside the peers"))
    _outage(actions.add_parser("outage", help="what is lost when a link is cut, beside the peers"))
    _soak(actions.add_parser("soak", help="memory of the gateway over half an hour at a steady rate"))
    _kill(actions.add_parser("kill", help="kill -9 at random moments: nothing acknowledged may be lost"))
    _store_kill(actions.add_parser("store-kill", help="kill -9 of the store in full flow, and while it is backed up"))
    _store(actions.add_parser("store", help="the historian beside DuckDB, VictoriaMetrics and InfluxDB"))
    _live(actions.add_parser("live", help="pages at 10 Hz, stalled pages, from sensor to pixel, restarts, the heap"))
    _models(actions.add_parser("models", help="the training service on public data sets, beside published results"))
    _pages(actions.add_parser("pages", help="the pages in a real browser: zoom, first chart, weight, live charts"))


def _common(parser: argparse.ArgumentParser) -> None:
    _publishing(parser)
    parser.add_argument("--cache", type=Path, default=Cache.default(), metavar="DIR", help="where peers are installed")
    parser.add_argument("--no-install", action="store_true", help="fetch nothing; what is missing is named")


def _publishing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--publish", type=Path, nargs="?", const=_DOCS, metavar="DIR", help=f"write the page there (default: {_DOCS})"
    )


def _ingest(parser: argparse.ArgumentParser) -> None:
    _common(parser)
    parser.add_argument(
        "--only", default="", metavar="NAMES", help="scenarios, as in bulk,plain (default: all but large)"
    )
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="interleaved rounds (default: 3)")
    parser.add_argument("--seconds", type=float, default=5.0, metavar="S", help="counted seconds (default: 5)")
    parser.add_argument("--quick", action="store_true", help="1,000 x 10 Hz for 3 s, one round: ratios only")
    parser.add_argument("--peer-python", type=Path, metavar="PATH", help="a Python that has o6 installed")
    parser.add_argument("--clients", default="", metavar="NAMES", help="only these clients, as in ours,node-opcua")


def _outage(parser: argparse.ArgumentParser) -> None:
    _common(parser)
    parser.add_argument("--only", default="", metavar="NAMES", help="parts, as in silent,device-cut-3 (default: all)")
    parser.add_argument("--clients", default="", metavar="NAMES", help="only these clients, as in ours,node-opcua")
    parser.add_argument("--scale", type=float, default=1.0, metavar="X", help="shorten everything, as in 0.1")


def _soak(parser: argparse.ArgumentParser) -> None:
    _common(parser)
    parser.add_argument("--minutes", type=float, default=30.0, metavar="M", help="how long (default: 30)")
    parser.add_argument("--rate", type=int, default=50_000, metavar="N", help="values per second (default: 50000)")


def _kill(parser: argparse.ArgumentParser) -> None:
    _common(parser)
    parser.add_argument("--rounds", type=int, default=50, metavar="N", help="how many kills (default: 50)")
    parser.add_argument("--rate", type=int, default=50_000, metavar="N", help="values per second (default: 50000)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the random moments (default: 1)")


def _store_kill(parser: argparse.ArgumentParser) -> None:
    _common(parser)
    parser.add_argument("--rounds", type=int, default=200, metavar="N", help="how many kills (default: 200)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the random moments (default: 1)")


def _store(parser: argparse.ArgumentParser) -> None:
    from shopfloor.services.bench.store.run import add_arguments

    _publishing(parser)
    parser.set_defaults(cache=Cache.default(), no_install=True)
    add_arguments(parser)


def _models(parser: argparse.ArgumentParser) -> None:
    from shopfloor.services.bench.models.run import add_arguments

    _publishing(parser)
    parser.set_defaults(cache=Cache.default(), no_install=True)
    add_arguments(parser)


def _pages(parser: argparse.ArgumentParser) -> None:
    from shopfloor.services.bench.pages.run import add_arguments

    _publishing(parser)
    parser.set_defaults(cache=Cache.default(), no_install=True)
    add_arguments(parser)


def _live(parser: argparse.ArgumentParser) -> None:
    from shopfloor.services.bench.fanout.run import add_arguments

    _publishing(parser)
    parser.set_defaults(cache=Cache.default(), no_install=True)
    add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Measure, print the tables, and publish when asked; 1 when a client of ours failed or lost a value."""
    with tempfile.TemporaryDirectory(prefix="shopfloor-bench-") as folder:
        place = Place(Path(folder), Cache(args.cache, not args.no_install), getattr(args, "peer_python", None))
        return _ACTIONS[args.action](args, place)


def _run_ingest(args: argparse.Namespace, place: Place) -> int:
    from shopfloor.services.bench.ingest import Ingest
    from shopfloor.services.bench.ingest_page import PAGE
    from shopfloor.services.bench.scenario import chosen

    bench = Ingest(place, 1, 1.0) if args.quick else Ingest(place, args.rounds)
    parts = []
    for scenario in chosen(args.only, args.clients, quick=args.quick, seconds=args.seconds):
        parts.append(bench.run(scenario))
        _show(PAGE, parts[-1:], args)
    ours = [row for part in parts for row in part["summary"] if row["client"] == "ours"]
    return int(any("received" not in row or row["gaps"] for row in ours))


def _run_outage(args: argparse.Namespace, place: Place) -> int:
    from shopfloor.services.bench.outage import PAGE, measure

    lost = 0
    for part in measure(args.only, args.clients, args.scale, place):
        _show(PAGE, [part], args)
        lost += sum(row.get("lost") or 0 for row in part["summary"] if row["client"] == "ours")
    return int(lost > 0)


def _run_soak(args: argparse.Namespace, place: Place) -> int:
    from shopfloor.services.bench.endurance import PAGE
    from shopfloor.services.bench.soak import soak

    part = soak(args.minutes * 60, args.rate, place)
    _show(PAGE, [part], args)
    return int(not part["well"])


def _run_kill(args: argparse.Namespace, place: Place) -> int:
    from shopfloor.services.bench.endurance import PAGE
    from shopfloor.services.bench.kill import kill

    part = kill(args.rounds, args.rate, args.seed, place)
    _show(PAGE, [part], args)
    return int(not part["well"])


def _run_store_kill(args: argparse.Namespace, place: Place) -> int:
    from shopfloor.services.bench.endurance import PAGE
    from shopfloor.services.bench.store.kill import kill

    part = kill(args.rounds, args.seed, place.folder)
    _show(PAGE, [part], args)
    return int(not part["well"])


def _run_store(args: argparse.Namespace, place: Place) -> int:
    from shopfloor.services.bench.store.page import PAGE
    from shopfloor.services.bench.store.run import Run

    wrong = 0
    for part in Run.of(args, place.folder).parts():
        _show(PAGE, [part], args)
        rows = part["summary"]
        wrong += sum((row.get("store") == "ours" and "failed" in row) or bool(row.get("differs")) for row in rows)
    return int(wrong > 0)


def _run_models(args: argparse.Namespace, _: Place) -> int:
    from shopfloor.services.bench.models.page import PAGE
    from shopfloor.services.bench.models.run import parts

    missed = 0
    for part in parts(list(args.sets), args.seconds):
        _show(PAGE, [part], args)
        missed += sum(row["kept"] is False for row in part["summary"])
    return int(missed > 0)


def _run_pages(args: argparse.Namespace, place: Place) -> int:
    from shopfloor.services.bench.pages.run import PAGE, measure

    part = measure(args, place.folder)
    _show(PAGE, [part], args)
    return int(any(row["kept"] == "no" for row in part["summary"]))


def _run_live(args: argparse.Namespace, place: Place) -> int:
    from shopfloor.services.bench.fanout.page import PAGE
    from shopfloor.services.bench.fanout.run import parts

    missed = 0
    for part in parts(args, place):
        _show(PAGE, [part], args)
        missed += not part["well"]
    return int(missed > 0)


def _show(page: Page, parts: Sequence[dict[str, Any]], args: argparse.Namespace) -> None:
    """Print and write at once: a run that is stopped keeps the parts that it has."""
    for part in parts:
        sys.stdout.write(f"\n{part['title']}\n{page.table(part)}\n")
    sys.stdout.flush()
    if args.publish is not None:
        for file in page.publish(parts, args.publish, command()):
            sys.stderr.write(f"wrote {file}\n")


_ACTIONS: Final = {
    "ingest": _run_ingest,
    "outage": _run_outage,
    "soak": _run_soak,
    "kill": _run_kill,
    "store": _run_store,
    "store-kill": _run_store_kill,
    "models": _run_models,
    "pages": _run_pages,
    "live": _run_live,
}
