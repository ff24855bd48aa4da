"""What every test stands on: helpers can be imported by name, and the environment is clean."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

HERE = Path(__file__).parent
HELPERS = (HERE, HERE / "packaging", HERE / "e2e", HERE / "services")
sys.path[:0] = [str(folder) for folder in HELPERS if str(folder) not in sys.path]

# Address spaces and estimators are thousands of objects that stay. With Python's own threshold a test process looks
# through all of them again and again: a third of the CPU time of the tests of OPC UA.
gc.set_threshold(100_000, 20, 20)

settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("here"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Files go to whichever process is free; those that start a whole plant all go to one, as two would starve."""
    from xdist.scheduler import LoadFileScheduling

    class PlantsInTurn(LoadFileScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return "tests/e2e" if nodeid.startswith("tests/e2e/") else nodeid.partition("::")[0]

    return PlantsInTurn(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole plants first: they take longest, and a process that begins them last would end them alone.

    Of these, tests with the shared plant follow one another, so that it runs no longer than it is needed; and so do
    those of the pages, which share a browser.
    """
    items.sort(key=lambda item: HERE / "dashboards" not in item.path.parents)
    items.sort(
        key=lambda item: (item.get_closest_marker("e2e") is None, "plant" not in getattr(item, "fixturenames", ()))
    )


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of this machine's plant reaches a test."""
    for name in list(os.environ):
        if name.startswith("SHOPFLOOR_"):
            monkeypatch.delenv(name)
