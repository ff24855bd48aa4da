"""Tests of the inference protocol share one server."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from served_models import Served, serving


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server, and the bundles that it holds."""
    with serving(tmp_path_factory.mktemp("inference")) as found:
        yield found
