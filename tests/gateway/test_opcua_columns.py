"""The columnar decoder against the decoder of single values, for any mix of types, masks, runs and damage."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pytest
from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import struct_from_binary, variant_to_binary
from hypothesis import given
from hypothesis import strategies as st
from shopfloor.gateway.opcua import columns as module
from shopfloor.gateway.opcua.columns import Columns
from shopfloor.gateway.opcua.items import Item
from shopfloor.gateway.opcua.layout import EPOCH_TICKS, FIXED, LAST_TICKS
from shopfloor.gateway.opcua.values import Change, Run, Undecodable, read_changes, runs
from shopfloor.plant import Kind

NOW = 1_790_000_000_000_000_000
HANDLES = 40
KINDS = st.sampled_from([float, int, str, object])
VALUES = {
    "?": st.integers(0, 255), "f": st.floats(width=32), "d": st.floats(),
    **{letter: st.integers(0, 2 ** (8 * struct.calcsize(letter)) - 1) for letter in "BHIQ"},
    **{letter: st.integers(-(2 ** (8 * struct.calcsize(letter) - 1)), 2 ** (8 * struct.calcsize(letter) - 1) - 1)
       for letter in "bhiq"},
}  # fmt: skip
TICKS = st.one_of(
    st.integers(EPOCH_TICKS - 1, EPOCH_TICKS + 1),
    st.integers(LAST_TICKS - 1, LAST_TICKS + 1),
    st.sampled_from([0, -(2**63), 2**63 - 1]),
    st.integers(EPOCH_TICKS, LAST_TICKS),
)
OTHERS = [
    ua.Variant("Grüße", ua.VariantType.String),
    ua.Variant(None, ua.VariantType.String),
    ua.Variant(None, ua.VariantType.Null),
    ua.Variant([1, 2, 3], ua.VariantType.Int32),
    ua.Variant([0.5, 1.5], ua.VariantType.Double),
    ua.Variant([], ua.VariantType.Double),
    ua.Variant([[1, 2], [3, 4]], ua.VariantType.Int16),
    ua.Variant(["a", "b"], ua.VariantType.String),
    ua.Variant(ua.LocalizedText("Tür", "de"), ua.VariantType.LocalizedText),
    ua.Variant(ua.NodeId("x", 3), ua.VariantType.NodeId),
    ua.Variant(ua.EUInformation("urn:x", 7, ua.LocalizedText("bar")), ua.VariantType.ExtensionObject),
    ua.Variant(b"\x00\xff", ua.VariantType.ByteString),
]


@st.composite
def blocks(draw: st.DrawFn) -> bytes:
    """Some values with one mask and one type: long or short."""
    mask = draw(st.integers(0, 63))
    kind = draw(st.sampled_from([*FIXED, 0, 0]))
    length = draw(st.sampled_from([1, 2, 7, 15, 16, 17, 40, 300]))
    some = draw(st.lists(_value(mask, kind), min_size=1, max_size=6))
    handles = draw(st.lists(st.integers(0, HANDLES + 3), min_size=1, max_size=5))
    return b"".join(struct.pack("<I", handles[n % len(handles)]) + some[n % len(some)] for n in range(length))


@st.composite
def _value(draw: st.DrawFn, mask: int, kind: int) -> bytes:
    data = bytes((mask,))
    if mask & 1:
        letter = FIXED.get(kind)
        if letter is None:
            data += variant_to_binary(draw(st.sampled_from(OTHERS)))
        else:
            data += bytes((kind,)) + struct.pack("<" + letter.replace("?", "B"), draw(VALUES[letter]))
    for bit, letter, drawn in (
        (0x02, "I", st.sampled_from([0, 0x40000000, 0x80310000, 2**32 - 1])),
        (0x04, "q", TICKS),
        (0x10, "H", st.integers(0, 2**16 - 1)),
        (0x08, "q", TICKS),
        (0x20, "H", st.integers(0, 2**16 - 1)),
    ):
        if mask & bit:
            data += struct.pack("<" + letter, draw(drawn))
    return data


def body(parts: Iterable[bytes], data: bytes) -> bytes:
    """A DataChangeNotification; the number of values is found by decoding them."""
    joined = b"".join(parts)
    count, position = 0, 0
    while position < len(joined):
        position += len(_first(joined[position:]))
        count += 1
    return struct.pack("<i", count) + joined + data


def _first(data: bytes) -> bytes:
    """The first value, found without the code under test: by asyncua's own decoder."""
    buffer = Buffer(data)
    struct_from_binary(ua.MonitoredItemNotification, buffer)
    return data[: buffer.cur_pos]


def one_by_one(data: bytes) -> Iterator[list[Change]]:
    yield read_changes(data)


def rows(columns: Columns, bodies: list[bytes]) -> dict[Kind, list[Any]]:
    """What comes out, comparable: NaN equals NaN, and 1.0 is not 1."""
    return {
        batch.kind: [(s.tag, s.time, repr(s.value), s.quality) for s in batch] for batch in columns.batches(bodies, NOW)
    }


def items(kinds: list[type]) -> dict[int, Item]:
    return {n: Item(ua.NodeId(n), f"a/tag-{n}", kind) for n, kind in enumerate(kinds, 1)}


@given(st.lists(KINDS, min_size=HANDLES, max_size=HANDLES), st.lists(st.lists(blocks(), max_size=4), max_size=3))
def test_columns_equal_the_values_one_by_one(kinds: list[type], notifications: list[list[bytes]]) -> None:
    bodies = [body(parts, b"\xff\xff\xff\xff") for parts in notifications]
    fast, slow = Columns(items(kinds)), Columns(items(kinds))
    for _ in range(2):
        found = rows(fast, bodies)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "runs", one_by_one)
            assert found == rows(slow, bodies)
    assert [item.kind for item in fast.items.values()] == [item.kind for item in slow.items.values()]


@given(st.lists(blocks(), min_size=1, max_size=3), st.data())
def test_damaged_bytes_are_one_error_and_keep_what_came_before(parts: list[bytes], data: st.DataObject) -> None:
    whole = body(parts, b"")
    cut = data.draw(st.integers(0, len(whole) - 1))
    columns = Columns(items([float] * HANDLES))
    before = sum(map(len, columns.batches([whole[:cut]], NOW)))
    assert columns.malformed == 1
    assert columns.malformed_sentence.startswith("A notification cannot be decoded, its values up to the damage")
    assert before <= sum(map(len, Columns(items([float] * HANDLES)).batches([whole], NOW)))
    with pytest.raises(Undecodable, match=r"bytes"):
        read_changes(whole[:cut])


@given(st.lists(blocks(), min_size=1, max_size=3), st.data())
def test_changed_bytes_never_hang_or_break_it(parts: list[bytes], data: st.DataObject) -> None:
    raw = bytearray(body(parts, b""))
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    columns = Columns(items([float] * HANDLES))
    assert all(len(batch) for batch in columns.batches([bytes(raw)], NOW))
    assert columns.malformed in {0, 1}


@given(st.binary(max_size=200))
def test_other_bytes_never_hang_or_break_it(raw: bytes) -> None:
    list(Columns(items([object] * HANDLES)).batches([raw, struct.pack("<i", 2**31 - 1) + raw], NOW))


def test_a_count_beyond_the_bytes_is_refused_at_once() -> None:
    body = struct.pack("<i", 2**31 - 1) + struct.pack("<IBBd", 1, 1, 11, 2.5) * 20
    columns = Columns(items([float]))
    (batch,) = columns.batches([body], NOW)
    assert batch.value.tolist() == [2.5] * 20
    assert columns.malformed == 1
    for array in (b"\x80", b"\x86", b"\x8c"):
        with pytest.raises(Undecodable):
            read_changes(struct.pack("<iIB", 1, 1, 1) + array + struct.pack("<i", 2**31 - 1))


def test_a_run_is_one_piece_and_names_stay_the_same_object() -> None:
    parts = [struct.pack("<IBBdq", n, 5, 11, n / 2, EPOCH_TICKS + n) for n in range(1, HANDLES + 1)] * 3
    body = struct.pack("<i", len(parts)) + b"".join(parts)
    (run,) = runs(body)
    assert isinstance(run, Run)
    assert len(run.rows) == 3 * HANDLES
    columns = Columns(items([float] * HANDLES))
    (first,), (second,) = columns.batches([body], NOW), columns.batches([body, body], NOW)
    assert first.names is second.names
    assert first.names == tuple(f"a/tag-{n}" for n in range(1, HANDLES + 1))
    assert second.time.flags.c_contiguous
    assert np.array_equal(second.value, np.tile(np.arange(1, HANDLES + 1) / 2, 6))
