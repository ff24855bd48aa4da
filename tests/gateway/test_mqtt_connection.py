"""Our connection against real brokers: nothing acknowledged by itself, nothing lost, nothing twice that is held."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from brokers import mosquitto_broker, nats_broker, running
from shopfloor.gateway.mqtt import wire
from shopfloor.gateway.mqtt.connection import Connection
from shopfloor.gateway.mqtt.inbox import Inbox
from shopfloor.gateway.mqtt.wire import Hello, Message, Will
from shopfloor.plant import SourceLost
from shopfloor.plant.config import BrokerSection

CASES = [(mosquitto_broker, "5"), (mosquitto_broker, "3.1.1"), (nats_broker, "auto")]
IDS = ["mosquitto-5", "mosquitto-3.1.1", "nats"]


@pytest.fixture(params=CASES, ids=IDS)
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BrokerSection]:
    make, version = request.param
    more = {"ack_wait": "1s"} if make is nats_broker else {}
    with running(make(tmp_path, **more)) as running_broker:
        yield BrokerSection(url=running_broker.url, version=version)


@asynccontextmanager
async def connected(
    broker: BrokerSection, name: str, *topics: str, lasting: bool = True, **more: Any
) -> AsyncIterator[Connection]:
    link = Connection(broker, Hello(name, 15, lasting=lasting), linger=0.05, **more)
    try:
        await link.connect(topics)
        yield link
    finally:
        await link.close()


async def gather(link: Connection, n: int, *, acknowledge: bool = True) -> list[Message]:
    found: list[Message] = []
    async with asyncio.timeout(20):
        while len(found) < n:
            some = await link.messages()
            found += some
            if acknowledge:
                link.acknowledge(some)
    return found


def bodies(messages: list[Message]) -> list[bytes]:
    return [message[1] for message in messages]


async def test_messages_come_in_order_with_their_topics(broker: BrokerSection) -> None:
    sent = [(f"f/a{n % 3}", b"%d" % n) for n in range(500)]
    async with connected(broker, "reader", "f/+") as reader, connected(broker, "writer", lasting=False) as writer:
        await writer.publish(sent)
        found = await gather(reader, 500)
        assert [(topic.decode(), body) for topic, body, _, _ in found] == sent
        assert all(mid for _, _, mid, _ in found)
        assert abs(found[0][3] - time.time_ns()) < 20e9
        await writer.publish([("f/b", b"last")], qos=0)
        assert bodies(await gather(reader, 1)) == [b"last"]


async def test_what_was_not_acknowledged_comes_again_and_what_was_does_not(broker: BrokerSection) -> None:
    async with connected(broker, "writer", lasting=False) as writer:
        async with connected(broker, "reader", "f/+") as reader:
            await writer.publish([("f/a", b"kept"), ("f/a", b"not kept")])
            first = await gather(reader, 2, acknowledge=False)
            reader.acknowledge(first[:1])
            await asyncio.sleep(0.2)
        await writer.publish([("f/a", b"while away")])
        async with connected(broker, "reader", "f/+") as reader:
            assert sorted(bodies(await gather(reader, 2))) == [b"not kept", b"while away"]
            await asyncio.sleep(0.2)
        async with connected(broker, "reader", "f/+") as reader:
            await writer.publish([("f/a", b"new")])
            assert bodies(await gather(reader, 1)) == [b"new"]


async def test_a_message_of_a_megabyte_comes_whole(broker: BrokerSection) -> None:
    payload = bytes(range(256)) * 4_000
    async with connected(broker, "reader", "f/+") as reader, connected(broker, "writer", lasting=False) as writer:
        await writer.publish([("f/big", payload), ("f/small", b"1")])
        assert bodies(await gather(reader, 2)) == [payload, b"1"]


async def test_a_full_inbox_makes_the_broker_wait_and_loses_nothing(broker: BrokerSection) -> None:
    inbox = Inbox(20, 10_000)
    reading = connected(broker, "reader", "f/+", inbox=inbox)
    async with reading as reader, connected(broker, "writer", lasting=False) as writer, asyncio.timeout(20):
        await writer.publish([("f/a", b"%d" % n + bytes(1_000)) for n in range(300)])
        await asyncio.sleep(0.5)
        found: list[Message] = []
        while len(found) < 300:
            some = await reader.messages()
            found += some
            await asyncio.sleep(0.01)
            reader.acknowledge(some)
    assert [int(body[:-1_000]) for body in bodies(found)] == list(range(300))


async def test_the_will_speaks_for_a_client_that_is_cut_and_not_for_one_that_leaves(broker: BrokerSection) -> None:
    hello = Hello("mortal", 15, will=Will("will/mortal", b"gone"))
    async with connected(broker, "reader", "will/+") as reader:
        for cut in (False, True):
            link = Connection(broker, hello)
            await link.connect()
            if cut and link._transport is not None:
                link._transport.abort()
                assert bodies(await gather(reader, 1)) == [b"gone"]
            await link.close()
            with pytest.raises(SourceLost):
                await link.publish([("will/x", b"1")])


async def test_retained_messages_come_on_a_first_subscription(broker: BrokerSection) -> None:
    async with connected(broker, "writer", lasting=False) as writer:
        await writer.publish([("r/a", b"old"), ("r/a", b"newest")], retain=True)
    async with connected(broker, "reader", "r/#") as reader:
        assert bodies(await gather(reader, 1)) == [b"newest"]


async def test_a_lost_link_hands_over_what_came_and_then_says_so(tmp_path: Path) -> None:
    with running(mosquitto_broker(tmp_path)) as process:
        broker = BrokerSection(url=process.url)
        async with connected(broker, "reader", "f/+") as reader:
            async with connected(broker, "writer", lasting=False) as writer:
                await writer.publish([("f/a", b"1")])
                await asyncio.sleep(0.2)
            process.kill()
            assert bodies(await gather(reader, 1)) == [b"1"]
            with pytest.raises(SourceLost, match=r"The link to the broker mqtt://.* is lost \(.*\)\."):
                await reader.messages()
            reader.acknowledge([(b"f/a", b"1", 1, 0)])


Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]


@asynccontextmanager
async def pretending(script: Script) -> AsyncIterator[BrokerSection]:
    """A peer that misbehaves in a way that no real broker can be made to."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await script(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield BrokerSection(url=f"mqtt://127.0.0.1:{port}", version="3.1.1", keepalive="1s")


async def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1_000)
    writer.write(b"\x20\x02\x00\x00")
    mid = (await reader.readexactly(4))[2:]
    await reader.read(1_000)
    writer.write(b"\x90\x03" + mid + b"\x01")


async def test_a_silent_link_is_lost_after_the_keepalive() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await welcome(reader, writer)
        while await reader.read(1_000):
            pass

    async with pretending(silent) as broker:
        link = Connection(broker, Hello("reader", 1))
        await link.connect(["f/+"])
        began = time.monotonic()
        with pytest.raises(SourceLost, match="has been silent for"):
            await link.messages()
        assert 0.5 < time.monotonic() - began < 5
        await link.close()


async def test_a_redelivery_of_what_is_held_is_handed_over_once() -> None:
    message = wire.publish("f/a", b"1", 5, wire.V311)
    again = bytes([message[0] | 0x08]) + message[1:]

    async def insistent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await welcome(reader, writer)
        writer.write(message + again)
        assert await reader.readexactly(4) == b"\x40\x02\x00\x05"
        writer.write(again)
        await reader.read()

    async with pretending(insistent) as broker:
        link = Connection(broker, Hello("reader", 60), linger=0.2)
        await link.connect(["f/+"])
        first = await link.messages()
        link.acknowledge(first)
        second = await link.messages()
        assert (bodies(first), bodies(second)) == ([b"1"], [b"1"]), "after the PUBACK the identifier is a new message"
        await link.close()


@pytest.mark.parametrize(
    ("code", "sentence"), [(0x8E, "another client has connected with the same 'client_id'"), (0x99, "reason 0x99")]
)
async def test_a_farewell_of_the_broker_says_why(code: int, sentence: str) -> None:
    async def farewell(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1_000)
        writer.write(b"\x20\x03\x00\x00\x00" + bytes([0xE0, 1, code]))
        await reader.read()

    async with pretending(farewell) as broker:
        link = Connection(broker.model_copy(update={"version": "5"}), Hello("reader"))
        await link.connect()
        with pytest.raises(SourceLost, match=sentence):
            await link.messages()
        await link.close()


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (b"\x20\x02\x00\x05", r"refuses this client \(not authorised\): check 'user' and 'password_file'"),
        (b"\x20\x02\x00\x03", r"refuses this client \(it is not available\)"),
        (b"\x20\x02\x00\x01", "does not speak MQTT 3.1.1"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not answer within|sends what is no MQTT|closed the link"),
        (b"", "closed the link before it answered: check that the port speaks MQTT"),
    ],
)
async def test_every_refusal_is_a_sentence(answer: bytes, sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shopfloor.gateway.mqtt.connection._ANSWER_S", 0.5)

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1_000)
        writer.write(answer)
        await writer.drain()

    async with pretending(refuse) as broker:
        link = Connection(broker, Hello("reader"))
        with pytest.raises(SourceLost, match=sentence):
            await link.connect(["f/+"])
        await link.close()


async def test_a_refused_subscription_names_the_topic() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1_000)
        writer.write(b"\x20\x02\x00\x00")
        mid = (await reader.readexactly(4))[2:]
        writer.write(b"\x90\x04" + mid + b"\x01\x80")
        await reader.read()

    async with pretending(refuse) as broker:
        link = Connection(broker, Hello("reader"))
        with pytest.raises(SourceLost, match="refuses to send 'secret/#': check its access rights"):
            await link.connect(["f/+", "secret/#"])
        await link.close()
