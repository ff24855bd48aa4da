"""End-to-end tests share the helpers of the other tests, and most of them one demonstration."""

from collections.abc import Generator

import pytest
from plant_under_test import PlantUnderTest, until
from playwright.sync_api import Browser
from shared import Shared
from shared import learned as has_learned

SHARED = Shared()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, object, object]:
    """Tests with the plant follow one another (see the order in tests/conftest.py): behind the last one it stops."""
    result = yield
    if "plant" in getattr(item, "fixturenames", ()) and "plant" not in getattr(nextitem, "fixturenames", ()):
        SHARED.close()
    return result


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> PlantUnderTest:
    """A running demonstration with two days of past; its values flow."""
    return SHARED.plant(tmp_path_factory.getbasetemp() / "plant")


@pytest.fixture(scope="module")
def learned(plant: PlantUnderTest) -> PlantUnderTest:
    """The same plant once its history is in and its brain has learned."""
    until("history is in and the brain is ready", lambda: has_learned(plant), 420, 1.0, plant.story)
    return plant


@pytest.fixture
def browser(plant: PlantUnderTest) -> Browser:
    """The browser of all tests with the plant."""
    return SHARED.browser()
