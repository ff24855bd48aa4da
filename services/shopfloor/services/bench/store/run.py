"""`shopfloor bench store`: its parts, one after the other."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from shopfloor.plant import ShopfloorError
from shopfloor.services.bench.store.asked import asked, by_shape
from shopfloor.services.bench.store.contestants import OURS, Contestant, chosen
from shopfloor.services.bench.store.ingest import ingest
from shopfloor.services.bench.store.large import large, rows_of, sized
from shopfloor.services.bench.store.questions import Data
from shopfloor.services.bench.store.reads import memory, reads

Part = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of everything."""

    data: Data = field(default_factory=Data)
    ingest_s: int = 120
    shape_hours: int = 6
    shape_s: int = 60
    times: int = 7
    reads_s: int = 15
    memory_s: int = 150
    settle: bool = True


_QUICK: Final = Sizes(
    Data(plant_s=1, fast_s=5, hours=0.25, days=1, month_tags=1),
    ingest_s=1,
    shape_hours=0,
    times=1,
    reads_s=1,
    memory_s=2,
    settle=False,
)


@dataclass(frozen=True, slots=True)
class Run:
    """What was asked for, and a folder for it."""

    stores: Sequence[Contestant]
    folder: Path
    sizes: Sizes
    rounds: int
    big: Data
    only: frozenset[str]

    @classmethod
    def of(cls, args: argparse.Namespace, folder: Path) -> Self:
        """As the command line says; `--rows` alone means the big set alone."""
        words = [word.strip() for word in args.only.split(",") if word.strip()]
        if unknown := set(words) - set(PARTS):
            raise ShopfloorError(f"There is no part {sorted(unknown)[0]!r}: choose from {', '.join(PARTS)}.")
        only = words or (["large"] if args.rows else [name for name in PARTS if name not in _ASKED_FOR])
        big = sized(rows_of(args.rows or "300M"))
        sizes, rounds, big = (_QUICK, 1, _QUICK.data) if args.quick else (Sizes(), args.rounds, big)
        return cls(chosen(args.stores), folder, sizes, rounds, big, frozenset(only))

    @property
    def ours(self) -> Contestant:
        """The historian, asked for or not."""
        return chosen(OURS)[0]

    def parts(self) -> Iterator[Part]:
        """Every part, as soon as it is measured."""
        done: set[Callable[[Run], Iterator[Part]]] = set()
        for name, measure in PARTS.items():
            if name in self.only and measure not in done:
                done.add(measure)
                yield from (part for part in measure(self) if part["name"] in self.only)


def _ingest(run: Run) -> Iterator[Part]:
    yield ingest(run.stores, run.folder, run.rounds, run.sizes.ingest_s, run.sizes.settle)


def _held(run: Run) -> Iterator[Part]:
    """Disk and questions ask the same stores."""
    parts = asked(run.stores, run.folder / "held", run.sizes.data, run.sizes.times)
    if "disk" in run.only and run.sizes.shape_hours:
        shapes = by_shape(run.stores, run.folder, run.sizes.shape_hours, run.sizes.shape_s)
        for row in parts[0]["summary"]:
            row["by_shape"] = shapes[row["store"]]
    yield from parts


def _reads(run: Run) -> Iterator[Part]:
    yield reads(run.stores, run.folder, run.sizes.reads_s)


def _memory(run: Run) -> Iterator[Part]:
    yield memory(run.ours, run.folder, run.sizes.memory_s)


def _large(run: Run) -> Iterator[Part]:
    yield large(run.ours, run.folder, run.big, run.sizes.times)


PARTS: Final[dict[str, Callable[[Run], Iterator[Part]]]] = {
    "ingest": _ingest, "disk": _held, "queries": _held, "reads": _reads, "memory": _memory, "large": _large,
}  # fmt: skip
_ASKED_FOR: Final = frozenset({"large"})
"""What takes so long that it is measured only when it is asked for."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line, but for what all benches share."""
    parser.add_argument(
        "--only",
        default="",
        metavar="NAMES",
        help=f"parts, as in ingest,disk, of {', '.join(PARTS)} (default: all but large)",
    )
    parser.add_argument("--stores", default="", metavar="NAMES", help="only these, as in ours,duckdb (default: all)")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="interleaved rounds (default: 3)")
    parser.add_argument("--quick", action="store_true", help="as little as shows that everything works")
    parser.add_argument("--rows", metavar="N", help="the big set, ours alone, as in 300M")
