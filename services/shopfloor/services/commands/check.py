"""`shopfloor check`: says whether a plant file is right, with the options of all its connectors."""

from __future__ import annotations

import argparse
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from shopfloor.plant import ShopfloorError
from shopfloor.plant.config import CONNECTORS, PlantConfig, check_options, load


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    parser.add_argument("file", type=Path, help="plant file, as in plant.yaml")


def run(args: argparse.Namespace) -> int:
    """Print "ok" and what the file describes; a file with mistakes raises them as one `ConfigError`."""
    config = load(args.file)
    check_options(config, _options(config))
    tags = len(config.tag_paths())
    sys.stdout.write(f"ok: {len(config.assets)} assets, {tags} tags, {len(config.sources)} sources\n")
    return 0


def _options(config: PlantConfig) -> dict[str, Any]:
    """The options model of every connector that the file uses."""
    wanted = {source.kind for source in config.sources}
    return {point.name: _load(point).options for point in entry_points(group=CONNECTORS) if point.name in wanted}


def _load(point: Any) -> Any:
    try:
        return point.load()
    except ModuleNotFoundError as missing:
        raise ShopfloorError(
            f"The connector {point.name!r} needs {missing.name}, which is not installed: run"
            " `pip install 'shopfloor[gateway]'`."
        ) from missing
