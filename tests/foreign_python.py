"""Foreign Python programs that tests talk to, each in an environment of its own below the user's cache folder.

`python tests/foreign_python.py` installs what is missing; a test never does, it fails in CI and is skipped elsewhere.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from shopfloor.services.bench.cache import Absent, Cache

WANTED: Final = {
    "tritonclient": ("tritonclient==2.73.0", "geventhttpclient==2.6.1", "python-rapidjson==1.25"),
    # MLflow's tracking server without its pages and what they need.
    "mlflow": ("mlflow-skinny==3.17.2", "sqlalchemy==2.1.9", "alembic==1.20.1", "flask==3.1.3", "flask-cors==6.0.5"),
}
QUIET: Final = {"MLFLOW_DISABLE_TELEMETRY": "true"}


def interpreter(name: str) -> Path:
    """The Python of an environment that was prepared."""
    import pytest

    try:
        return Cache(Cache.default(), install=False).python(name, WANTED[name])
    except Absent as problem:
        told = f"{problem}: `python tests/foreign_python.py` installs it"
        if os.environ.get("CI") == "true":
            pytest.fail(told)
        pytest.skip(told)


def empty_store(python: Path) -> Path:
    """An empty store of MLflow, which takes five seconds to make: it is made once, and copied."""
    store = python.parent.parent / "empty.db"
    if not store.exists():
        fresh = store.with_suffix(f".{os.getpid()}")
        code = f"from mlflow import MlflowClient; MlflowClient('sqlite:///{fresh}').search_registered_models()"
        subprocess.run([python, "-c", code], check=True, env={**os.environ, **QUIET}, cwd=store.parent, timeout=170)
        fresh.replace(store)
    return store


if __name__ == "__main__":
    try:
        for wanted in WANTED:
            found = Cache(Cache.default()).python(wanted, WANTED[wanted])
        empty_store(found)
    except Absent as absent:
        sys.exit(f"{absent}. The tests that need it are skipped, or fail in CI.")
