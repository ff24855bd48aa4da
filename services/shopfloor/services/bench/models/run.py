"""One data set after the other."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from shopfloor.services.bench.machine import facts
from shopfloor.services.bench.models import sets
from shopfloor.services.bench.models.live import live
from shopfloor.services.bench.models.loaders import digest, folder
from shopfloor.services.bench.models.page import LOOKED, MADE, TITLES
from shopfloor.services.bench.models.protocol import protocol

_MEASURED: Final[Mapping[str, Callable[[Path, sets.Told], list[sets.Row]]]] = {
    "cmapss": sets.cmapss,
    "tep": sets.tep,
    "ai4i": sets.ai4i,
    "steel-plates": sets.steel_plates,
    "cnc-mill": sets.cnc_mill,
}
_LOOKS: Final = {"cmapss": "five times", "tep": "16 times", "steel-plates": "four times"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    names = ", ".join(TITLES)
    parser.add_argument("sets", nargs="*", choices=[*TITLES, []], metavar="SET", help=f"{names} (default: all)")
    parser.add_argument("--seconds", type=float, default=60.0, metavar="S", help="of the part live (default: 60)")


def parts(names: list[str], seconds: float) -> Iterator[dict[str, Any]]:
    """Each data set, and what needs none, as a part of the page."""
    for name in names or list(TITLES):
        machine, begun = facts(), time.process_time()
        found = _made(name, seconds) if name in MADE else _learned(name)
        spent = time.process_time() - begun
        yield {"name": name, "title": TITLES[name], **found, "seconds": spent, "machine": machine}


def _learned(name: str) -> dict[str, Any]:
    place = folder(name.replace("-", "_"))
    return {
        "summary": _MEASURED[name](place, partial(_tell, name)),
        "data": digest(sorted(file for file in place.iterdir() if file.suffix in (".csv", ".dat", ".txt"))),
        "looked": LOOKED[name].format(n=_LOOKS.get(name, "")),
    }


def _made(name: str, seconds: float) -> dict[str, Any]:
    told = partial(_tell, name)
    return {"summary": live(seconds, told) if name == "live" else protocol(told)}


def _tell(name: str, sentence: str) -> None:
    sys.stderr.write(f"{name}: {sentence}\n")
