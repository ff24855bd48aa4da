"""End-to-end tests share the helpers of the other tests, and most of them one demonstration."""

from collections.abc import Generator

import pytest
from plant_under_test import PlantUnderTest, until
from playwright.sync_api import Browser
from shared import Shared

SHARED = Shared()
PATIENCE = ("filled", "learned")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """While the history comes in and the brain learns, those go first that need neither."""
    items.sort(key=lambda item: max((PATIENCE.index(f) + 1 for f in PATIENCE if f in _fixtures(item)), default=0))


def _fixtures(item: pytest.Item) -> tuple[str, ...]:
    return tuple(getattr(item, "fixturenames", ()))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, object, object]:
    """Tests with the plant follow one another (see the order in tests/conftest.py): behind the last one it stops."""
    result = yield
    if "plant" in _fixtures(item) and (nextitem is None or "plant" not in _fixtures(nextitem)):
        SHARED.close()
    return result


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> PlantUnderTest:
    """A running demonstration with two days of past; its values flow."""
    return SHARED.plant(tmp_path_factory.getbasetemp() / "plant")


@pytest.fixture(scope="module")
def filled(plant: PlantUnderTest) -> PlantUnderTest:
    """The same plant once its history is in."""
    until("history is in", lambda: plant.health()["history"]["state"] == "complete", 240, why=plant.story)
    return plant


@pytest.fixture(scope="module")
def learned(filled: PlantUnderTest) -> PlantUnderTest:
    """The same plant once its brain has learned from its history."""
    until("the brain is ready", lambda: filled.health()["brain"]["state"] == "ready", 420, why=filled.story)
    return filled


@pytest.fixture
def browser(plant: PlantUnderTest) -> Browser:
    """The browser of all tests with the plant."""
    return SHARED.browser()
