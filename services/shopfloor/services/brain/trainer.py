"""The training process: history comes in on stdin, bundles go to a folder, progress goes out on stdout as JSON lines.

`python -m shopfloor.services.brain.trainer --folder F --start NS --end NS --assets N`
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from shopfloor.models.memory import pack
from shopfloor.models.train import History, remember, seal, train
from shopfloor.plant.errors import ShopfloorError
from shopfloor.services.brain.feed import receive

MEMORY = "memory.npz"
_READING = 0.35


def main(argv: Sequence[str] | None = None) -> int:
    """Train once; answers 0, or 1 after a line {"failed": sentence}."""
    parser = argparse.ArgumentParser(prog="shopfloor-trainer", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where bundles go")
    parser.add_argument("--start", type=int, required=True, help="UTC ns")
    parser.add_argument("--end", type=int, required=True, help="UTC ns, exclusive")
    parser.add_argument("--assets", type=int, required=True, help="how many will come on stdin")
    given = parser.parse_args(argv)
    os.nice(10)
    try:
        _learn(sys.stdin.buffer, given.folder, History(given.start, given.end), given.assets)
    except ShopfloorError as problem:
        _say({"failed": str(problem)})
        return 1
    return 0


def _learn(source: BinaryIO, folder: Path, history: History, assets: int) -> None:
    for count, (header, tags) in enumerate(receive(source), 1):
        history.add(str(header["asset"]), str(header["type"]), tags)
        _progress(_READING * count / max(assets, 1), f"Reading the history: {count} of {assets} assets")
    trained = train(history, _after_reading)
    folder.mkdir(parents=True, exist_ok=True)
    names = seal(folder, trained)
    fresh = folder / f"{MEMORY}.new"
    fresh.write_bytes(pack(remember(history)))
    fresh.replace(folder / MEMORY)
    _say({"done": names, "cpu_s": _cpu()})


def _after_reading(fraction: float, sentence: str) -> None:
    _progress(_READING + (1.0 - _READING) * fraction, sentence)


def _progress(fraction: float, sentence: str) -> None:
    _say({"progress": round(min(fraction, 1.0), 3), "sentence": sentence, "cpu_s": _cpu()})


def _cpu() -> float:
    return round(time.process_time(), 2)


def _say(line: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
