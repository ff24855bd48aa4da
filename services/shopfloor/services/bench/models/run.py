"""One data set after the other."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from shopfloor.services.bench.machine import facts
from shopfloor.services.bench.models import sets
from shopfloor.services.bench.models.loaders import digest, folder
from shopfloor.services.bench.models.page import LOOKED, TITLES

_MEASURED: Final[Mapping[str, Callable[[Path, sets.Told], list[sets.Row]]]] = {
    "cmapss": sets.cmapss,
    "tep": sets.tep,
    "ai4i": sets.ai4i,
    "steel-plates": sets.steel_plates,
    "cnc-mill": sets.cnc_mill,
}
_LOOKS: Final = {"cmapss": "once", "tep": "4 times"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    names = ", ".join(TITLES)
    parser.add_argument("sets", nargs="*", choices=[*TITLES, []], metavar="SET", help=f"{names} (default: all)")


def parts(names: list[str]) -> Iterator[dict[str, Any]]:
    """Each data set as a part of the page."""
    for name in names or list(TITLES):
        place = folder(name.replace("-", "_"))
        machine, begun = facts(), time.process_time()
        summary = _MEASURED[name](place, lambda sentence, name=name: _tell(f"{name}: {sentence}"))  # type: ignore[misc]
        yield {
            "name": name,
            "title": TITLES[name],
            "summary": summary,
            "data": digest(sorted(file for file in place.iterdir() if file.suffix in (".csv", ".dat", ".txt"))),
            "looked": LOOKED[name].format(n=_LOOKS.get(name, "")),
            "seconds": time.process_time() - begun,
            "machine": machine,
        }


def _tell(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
