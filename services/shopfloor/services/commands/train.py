"""`shopfloor train`: a table becomes a model card, and a verdict."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from shopfloor.models.learn import Learned, Roles, read_table, train
from shopfloor.models.learn.card import write_card


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    parser.add_argument("file", type=Path, metavar="FILE", help="CSV with a header, or Parquet")
    parser.add_argument("--target", metavar="COLUMN", help="what to predict: a class or a number")
    parser.add_argument(
        "--life", action="store_true", help="predict the remaining life: every asset runs until it fails"
    )
    parser.add_argument("--cap", type=float, metavar="N", help="remaining life counts at most this much")
    parser.add_argument(
        "--healthy", nargs=2, metavar=("FROM", "TO"), help="learn what is usual from this span of --time"
    )
    parser.add_argument("--asset", metavar="COLUMN", help="which machine a row is from")
    parser.add_argument("--run", metavar="COLUMN", help="which batch or experiment a row is from")
    parser.add_argument("--time", metavar="COLUMN", help="timestamps, or a cycle number")
    parser.add_argument("--settings", default="", metavar="COLUMNS", help="operating settings, as in speed,feed")
    parser.add_argument("--ignore", default="", metavar="COLUMNS", help="columns to leave out")
    parser.add_argument("--age", action="store_true", help="the age of an asset is a legitimate input")
    parser.add_argument("--independent", action="store_true", help="rows have nothing to do with each other")
    parser.add_argument("--drop-leaks", action="store_true", help="leave out columns that look like leaks")
    parser.add_argument(
        "--false-alarms", type=float, default=0.01, metavar="SHARE", help="of healthy rows (default: 0.01)"
    )
    parser.add_argument(
        "--budget", type=float, default=120.0, metavar="S", help="CPU seconds for the search (default: 120)"
    )
    parser.add_argument("--card", type=Path, metavar="FILE", help="where the card goes (default: FILE.card.html)")


def run(args: argparse.Namespace) -> int:
    """Learn, print the honest score and the verdict, write the card; 1 when the model abstains."""
    learned = train(read_table(args.file), _roles(args), budget_s=args.budget, progress=_progress)
    file = write_card(learned, args.file.stem, args.card or args.file.with_suffix(".card.html"))
    sys.stdout.write(f"{_report(learned)}\ncard: {file}\n")
    return int(learned.abstains is not None)


def _roles(args: argparse.Namespace) -> Roles:
    return Roles(
        target=args.target,
        task="life" if args.life else None,
        asset=args.asset,
        run=args.run,
        time=args.time,
        settings=_names(args.settings),
        ignore=_names(args.ignore),
        cap=args.cap,
        age=args.age,
        independent=args.independent,
        healthy=tuple(args.healthy) if args.healthy else None,
        false_alarms=args.false_alarms,
        drop_leaks=args.drop_leaks,
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _progress(share: float, sentence: str) -> None:
    sys.stderr.write(f"{share:5.0%}  {sentence}\n")


def _report(learned: Learned) -> str:
    lines = [f"warning: {finding.sentence}" for finding in learned.findings]
    lines.append(f"split: {learned.split}")
    if (score := learned.score) is not None:
        random = "" if score.random is None else f"; random rows would claim {score.random:.4g}"
        lines.append(f"{score.name}: {score.value:.4g} (90 % confidence {score.low:.4g} to {score.high:.4g}{random})")
    if learned.usual is not None:
        lines.append(f"false alarms on healthy rows not seen: {learned.usual.honest:.2%}")
    return "\n".join([*lines, learned.verdict()])
