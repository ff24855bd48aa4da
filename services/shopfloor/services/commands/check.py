"""`shopfloor check`: says whether a plant file is right, with the options of all its connectors."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from shopfloor.gateway.registry import connector
from shopfloor.plant import ShopfloorError
from shopfloor.plant.config import PlantConfig, check_options, load
from shopfloor.plant.contracts import Connector
from shopfloor.plant.counted import counted


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    parser.add_argument("file", type=Path, help="plant file, as in plant.yaml")


def run(args: argparse.Namespace) -> int:
    """Print "ok" and what the file describes; a file with mistakes raises them as one `ConfigError`."""
    config = load(args.file)
    check_options(config, _options(config))
    held = {"asset": config.assets, "tag": config.tag_paths(), "source": config.sources}
    sys.stdout.write(f"ok: {', '.join(counted(len(them), one) for one, them in held.items())}\n")
    return 0


def _options(config: PlantConfig) -> dict[str, Any]:
    """The options model of every connector that the file uses."""
    return {kind: _load(kind).options for kind in {source.kind for source in config.sources}}


def _load(kind: str) -> Connector:
    try:
        return connector(kind)
    except ModuleNotFoundError as missing:
        raise ShopfloorError(
            f"The connector {kind!r} needs {missing.name}, which is not installed: run"
            " `pip install 'shopfloor[gateway]'`."
        ) from missing
