"""What every test stands on: helpers can be imported by name, and the environment is clean."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

HERE = Path(__file__).parent
HELPERS = (HERE, HERE / "packaging")
sys.path[:0] = [str(folder) for folder in HELPERS if str(folder) not in sys.path]

settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("here"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of this machine's plant reaches a test."""
    for name in list(os.environ):
        if name.startswith("SHOPFLOOR_"):
            monkeypatch.delenv(name)
