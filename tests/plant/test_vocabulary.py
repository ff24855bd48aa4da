"""Paths, tags, qualities and events: the words of the plant."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shopfloor.plant import AssetPath, Event, EventKind, PathError, Severity, TagPath, quality

SEGMENT = st.text("abcXYZ019._- é中", min_size=1, max_size=9).filter(lambda s: s == s.strip() and "  " not in s)


@given(st.lists(SEGMENT, min_size=6, max_size=6))
def test_a_tag_path_reads_what_it_writes(parts: list[str]) -> None:
    text = "/".join(parts)
    path = TagPath.parse(text)
    assert str(path) == text
    assert (path.name, str(path.asset)) == (parts[-1], "/".join(parts[:-1]))


@given(st.text())
def test_any_other_text_is_a_path_error(text: str) -> None:
    for kind in (AssetPath, TagPath):
        with suppress(PathError):
            assert str(kind.parse(text)) == text


@pytest.mark.parametrize(
    "bad", ["", "a", "a/b/c/d", "a/b/c/d/e/f", "a//c/d/e", "a/b/c/d/+", "a/#/c/d/e", " a/b/c/d/e", "a/b/c/d/e\n"]
)
def test_no_asset_path(bad: str) -> None:
    with pytest.raises(PathError):
        AssetPath.parse(bad)


def test_paths_sort_as_the_plant_stands() -> None:
    texts = ["s/a/l/c/2", "s/a/l/b/9", "s/a/l/c/1"]
    assert [str(path) for path in sorted(map(AssetPath.parse, texts))] == ["s/a/l/b/9", "s/a/l/c/1", "s/a/l/c/2"]


@given(st.lists(st.integers(0, 2**32 - 1)))
def test_severity_of_a_column_is_that_of_each_code(codes: list[int]) -> None:
    column = quality.severity(np.array(codes, np.uint32))
    assert column.tolist() == [int(Severity.of(code)) for code in codes]


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (0, "Good"),
        (0x40900000, "UncertainLastUsableValue"),
        (0x80310000, "BadNoCommunication"),
        (0xC0000000, "Bad (0xC0000000)"),
    ],
)
def test_names_of_codes(code: int, name: str) -> None:
    assert quality.name(code) == name


def test_every_named_code_has_the_severity_of_its_name() -> None:
    codes = [value for key, value in vars(quality).items() if key.isupper() and isinstance(value, int)]
    assert len(codes) > 10
    for code in codes:
        assert quality.name(code).upper().startswith(Severity.of(code).name)


def test_an_event_is_a_value() -> None:
    one = Event(1, EventKind.SOURCE_LOST, "machining", "The link to 'machining' is lost.")
    assert one == Event(1, EventKind.SOURCE_LOST, "machining", "The link to 'machining' is lost.")
    assert one.detail == {}
    assert one.kind == "source-lost"
