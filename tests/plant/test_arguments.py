"""Command-line arguments that are refused with what was expected."""

from __future__ import annotations

from argparse import ArgumentTypeError

import pytest
from shopfloor.plant.arguments import port, positive, whole


@pytest.mark.parametrize("text", ["-1", "65536", "80.5", "http", ""])
def test_a_port_that_is_none(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match=f"'{text}' is no whole number from 0 to 65535"):
        port(text)


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "soon"])
def test_a_time_or_speed_that_is_none(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match=f"'{text}' is no number greater than 0"):
        positive(text)


def test_bounds_are_included() -> None:
    assert [whole(1, 3)(text) for text in ("1", "3")] == [1, 3]
