"""Scopes: which assets, and which of several wins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shopfloor.services.registry import Refused
from shopfloor.services.registry.scope import covers, matching, rank, scope

PARTS = st.sampled_from(["*", "a", "b", "a*", "*a", "ab", "a*b", "b*"])
SCOPES = st.lists(PARTS, min_size=1, max_size=5).map("/".join)
ASSETS = [f"{s}/{a}/{b}/a/{c}" for s in ("a", "ab") for a in ("a", "b", "ab") for b in ("a", "aab", "b") for c in "ab"]
CASES = [
    (["*", "delta", "delta/frames", "delta/frames/line/cell-a"], "delta/frames/line/cell-a"),
    (["delta/frames/*/cell-a", "delta/frames"], "delta/frames/*/cell-a"),
    (["delta/frames/*/cell-a", "delta/frames/line/cell-a"], "delta/frames/line/cell-a"),
    (["delta/frames/*/cell-a", "delta/*/line/cell-a", "delta/frames/line"], "delta/frames/*/cell-a"),
    (["delta/f*", "delta/fram*"], "delta/fram*"),
    (["*/frames", "delta/*"], "*/frames"),
]


@pytest.mark.parametrize(("scopes", "winner"), CASES)
def test_the_most_specific_scope_wins(scopes: list[str], winner: str) -> None:
    assert matching(scopes, "delta/frames/line/cell-a/m-01")[0] == winner
    assert matching(reversed(scopes), "delta/frames/line/cell-a/m-01")[0] == winner


@given(SCOPES, SCOPES)
def test_the_order_is_total_and_a_scope_inside_another_wins(one: str, other: str) -> None:
    assert (rank(one) == rank(other)) == (one == other)
    inner, outer = ({a for a in ASSETS if covers(text, a)} for text in (one, other))
    levels = all(_inside(x, y) for x, y in zip(one.split("/"), other.split("/"), strict=False))
    if one != other and levels and one.count("/") >= other.count("/"):
        assert inner <= outer
        assert rank(one) < rank(other)


def _inside(one: str, other: str) -> bool:
    """Whether every text that `one` matches is matched by `other`, for the patterns of this test."""
    return other in {"*", one}


@pytest.mark.parametrize("text", ["", "/", "a//b", "a/b/c/d/e/f"])
def test_what_selects_no_assets_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(Refused, match="scope"):
        scope(text)
