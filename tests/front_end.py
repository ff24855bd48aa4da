"""The front end's own tools: Node.js and the packages of dashboards/. Where CI runs, nothing of it may be missing."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

DASHBOARDS = Path(__file__).parents[1] / "dashboards"
MODULES = DASHBOARDS / "node_modules"


def missing(sentence: str) -> NoReturn:
    """Skip, or fail where a skipped test would go unseen."""
    if os.environ.get("CI", "").lower() in {"", "0", "false"}:
        pytest.skip(sentence)
    pytest.fail(sentence)


def tool(*names: str) -> str:
    """Path of the first of these programs that is installed."""
    path = next(filter(None, map(shutil.which, names)), None)
    return path or missing(f"There is no {names[0]} on this machine; `make test` installs it when it may.")


def modules() -> Path:
    """Folder of the front end's packages."""
    return MODULES if MODULES.is_dir() else missing(f"{MODULES} is missing: run `npm ci` in the folder dashboards.")


def node(script: str, text: str) -> str:
    """What a script of the front end says about a text."""
    modules()
    command = [tool("node"), "--import", "./tests/typescript.mjs", script]
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, cwd=DASHBOARDS, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
