"""MQTT on the wire: packets are found wherever the stream is cut, and rubbish is refused in one sentence."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shopfloor.gateway.mqtt import wire
from shopfloor.gateway.mqtt.wire import V5, V311, Hello, Parser, Will, WireError

MESSAGES = st.lists(
    st.tuples(st.text(max_size=20), st.binary(max_size=200) | st.just(b"x" * 20_000), st.integers(0, 65_535)),
    max_size=12,
)
VERSIONS = st.sampled_from([V311, V5])


@given(MESSAGES, VERSIONS, st.lists(st.integers(1, 400), max_size=60))
def test_a_stream_means_the_same_wherever_it_is_cut(
    sent: list[tuple[str, bytes, int]], version: int, cuts: list[int]
) -> None:
    stream = b"".join(wire.publish(*message, version) + wire.packet(wire.PINGRESP << 4) for message in sent)
    parser, at = Parser(version), 0
    for size in [*cuts, len(stream)]:
        parser.feed(stream[at : at + size], 7)
        at += size
    assert parser.messages == [(topic.encode(), payload, mid, 7) for topic, payload, mid in sent]
    assert parser.control == [(wire.PINGRESP, b"")] * len(sent)
    assert parser.numbered == sum(mid > 0 for _, _, mid in sent)


@given(VERSIONS, st.lists(st.binary(max_size=40), max_size=8))
def test_rubbish_is_refused_and_never_raises_anything_else(version: int, chunks: list[bytes]) -> None:
    parser = Parser(version)
    with suppress(WireError):
        for chunk in chunks:
            parser.feed(chunk, 0)
    assert all(payload is not None and mid < 2**16 for _, payload, mid, _ in parser.messages)


@given(st.binary(max_size=60))
def test_properties_end_or_are_refused(data: bytes) -> None:
    with suppress(WireError):
        found, stop = wire.properties(data, 0)
        assert stop >= 1
        assert all(isinstance(value, int | str) for value in found.values())


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\x30\xff\xff\xff\xff\x01", "a length has more than four bytes"),
        (b"\x30\x01\x00", "a packet ends too early"),
        (b"\x30\x02\x00\x09", "a message is shorter than its header says"),
        (b"\x34\x06\x00\x01t\x00\x01x", "of QoS 2"),
        (b"\x32\x06\x00\x01t\x00\x00x", "no packet identifier"),
    ],
)
def test_what_is_no_mqtt_is_named(data: bytes, why: str) -> None:
    with pytest.raises(WireError, match=why):
        Parser(V311).feed(data, 0)


def test_a_large_message_in_small_pieces_is_joined_once() -> None:
    payload = bytes(1_000_000)
    stream = wire.publish("t", payload, 1, V5)
    parser = Parser(V5)
    for start in range(0, len(stream), 4_096):
        parser.feed(stream[start : start + 4_096], 0)
    assert parser.messages == [(b"t", payload, 1, 0)]


def test_what_comes_again_and_is_still_held_is_handed_over_once() -> None:
    parser = Parser(V311, holds=lambda mid: mid == 3)
    for mid in (3, 4):
        again = bytearray(wire.publish("t", b"x", mid, V311))
        again[0] |= 0x08
        parser.feed(bytes(again), 0)
    assert [message[2] for message in parser.messages] == [4]


def test_connect_in_bytes_as_the_specifications_lay_it_out() -> None:
    hello = Hello("me", 15, lasting=True, user="u", password="p", will=Will("w", b"gone"))
    expected = "10 1d 00 04 4d 51 54 54 04 ec 00 0f 00 02 6d 65 00 01 77 00 04 67 6f 6e 65 00 01 75 00 01 70"
    assert wire.connect(hello, V311).hex(" ") == expected
    assert wire.connect(Hello("me"), V5)[9] == 0x02, "a clean start"


def test_the_password_is_in_no_representation() -> None:
    assert "secret" not in repr(Hello("me", password="secret"))
