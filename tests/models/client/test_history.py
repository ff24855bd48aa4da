"""History for a notebook: from a real server, over HTTP, with and without a token."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from running_server import CNC, POWER, STATE, TEMPERATURE, Running, running
from shopfloor.models.client import History, history
from shopfloor.plant import Batch, QuestionError, Sample, ShopfloorError, StoreError
from shopfloor.services.security.scope import Scope

NOON = 1_790_000_000_000_000_000
S = 1_000_000_000
BAD = 0x80340000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Powers and temperatures of three seconds at different times, one of them bad, and a state."""
    with running(tmp_path_factory.mktemp("history")) as server:
        server.feed(*(Sample(POWER, NOON + second * S, 1.5 * second, BAD * (second == 1)) for second in range(3)))
        server.feed(Sample(TEMPERATURE, NOON + 1, 40.0), Sample(TEMPERATURE, NOON + S, 41.0))
        server.feed(Sample(STATE, NOON, "IDLE"), Sample(STATE, NOON + 2 * S, "EXECUTE"))
        yield server


def asked(server: Running, tags: str | list[str] = CNC) -> History:
    return history(tags, NOON, NOON + 10 * S, url=server.url)


def test_arrow_has_every_value_to_the_nanosecond_with_its_quality(server: Running) -> None:
    table = asked(server, [POWER, TEMPERATURE]).arrow
    assert len(table) == 5
    assert table.column("time").cast(pa.int64()).to_pylist()[3] == NOON + 1
    assert table.column("quality").to_pylist() == [0, BAD, 0, 0, 0]
    assert table.column("value").to_pylist() == [0.0, 1.5, 3.0, 40.0, 41.0]


def test_numpy_gives_each_tag_its_times_and_values(server: Running) -> None:
    columns = asked(server).numpy()
    assert list(columns) == [POWER, TEMPERATURE, STATE]
    time, value = columns[POWER]
    assert time.dtype == np.dtype("datetime64[ns]")
    assert time.astype(np.int64).tolist() == [NOON, NOON + S, NOON + 2 * S]
    np.testing.assert_array_equal(value, [0.0, np.nan, 3.0])
    assert columns[STATE][1].tolist() == ["IDLE", "EXECUTE"]


def test_pandas_has_a_column_for_each_tag(server: Running) -> None:
    frame = asked(server).pandas()
    assert frame.index.equals(pd.DatetimeIndex([NOON, NOON + 1, NOON + S, NOON + 2 * S], tz="UTC", name="time"))
    np.testing.assert_array_equal(frame[POWER].to_numpy(), [0.0, np.nan, np.nan, 3.0])
    np.testing.assert_array_equal(frame[TEMPERATURE].to_numpy(), [np.nan, 40.0, 41.0, np.nan])
    assert frame[STATE].ffill().tolist() == ["IDLE", "IDLE", "IDLE", "EXECUTE"]


def test_without_pandas_there_is_one_sentence(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ShopfloorError, match=r"pip install pandas.*use \.arrow or \.numpy"):
        asked(server).pandas()


@pytest.mark.parametrize(
    "start",
    [
        "2026-09-21T14:13:21Z", "2026-09-21 14:13:21", np.datetime64("2026-09-21T14:13:21"), NOON + S,
        datetime(2026, 9, 21, 14, 13, 21, tzinfo=UTC),
        datetime(2026, 9, 21, 22, 13, 21, tzinfo=timezone(timedelta(hours=8))),
    ],
)  # fmt: skip
def test_a_start_in_any_form(server: Running, start: datetime | np.datetime64 | str | int) -> None:
    assert len(history(POWER, start, NOON + 10 * S, url=server.url)) == 2


def test_nothing_stored_then_is_an_empty_answer(server: Running) -> None:
    empty = history(POWER, NOON - 10 * S, NOON, url=server.url)
    assert (len(empty), empty.numpy()) == (0, {})
    assert empty.arrow.column_names == ["tag", "time", "value", "text", "quality"]


def test_a_long_answer_comes_in_many_pieces(tmp_path: Path) -> None:
    """More than one read of the network, and records of it longer than one."""
    rows = np.arange(200_000, dtype=np.int64)
    values = np.random.default_rng(0).normal(size=len(rows))
    tags = (POWER, TEMPERATURE)
    batch = Batch(tags, (rows % 2).astype(np.int32), NOON + rows * S, values, np.zeros(len(rows), np.uint32))
    with running(tmp_path) as server:
        server.send(batch)
        columns = history(CNC, NOON, NOON + len(rows) * S, url=server.url).numpy()
    np.testing.assert_array_equal(columns[POWER][1], values[::2])
    np.testing.assert_array_equal(columns[TEMPERATURE][0].astype(np.int64), NOON + rows[1::2] * S)


def test_what_the_server_refuses_is_its_sentence(server: Running) -> None:
    with pytest.raises(QuestionError, match="No tag fits 'delta/none'"):
        asked(server, "delta/none")
    with pytest.raises(QuestionError, match="is not before"):
        history(POWER, NOON, NOON, url=server.url)
    with pytest.raises(QuestionError, match="'noon' is no time"):
        history(POWER, "noon", url=server.url)
    with pytest.raises(QuestionError, match="is no address"):
        history(POWER, url="ftp://here")


def test_a_server_on_the_network_wants_a_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHOPFLOOR_TOKEN", raising=False)
    with running(tmp_path, host="0.0.0.0") as server:
        server.feed(Sample(POWER, NOON, 1.0))
        with pytest.raises(StoreError, match="asks for a token"):
            asked(server)
        with pytest.raises(StoreError, match="unknown or was revoked"):
            history(POWER, url=server.url, token="wrong")
        token = server.parts.tokens.create("notebook", Scope.READ)
        assert len(history(POWER, NOON, NOON + S, url=server.url, token=token)) == 1
        monkeypatch.setenv("SHOPFLOOR_TOKEN", token)
        assert len(asked(server)) == 1


def test_no_server_and_another_server_are_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port = bound.getsockname()[1]
    with pytest.raises(StoreError, match="No server answers at"):
        history(POWER, url=f"http://127.0.0.1:{port}")
    for answer, sentence in [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "is no Shopfloor server"),
        (_arrow_that_breaks_off(), "broke off"),
    ]:
        with _answering(answer) as url, pytest.raises(StoreError, match=sentence):
            history(POWER, url=url)


def _arrow_that_breaks_off() -> bytes:
    """The schema and half of a batch, in an answer that never says that it ended."""
    sink = pa.BufferOutputStream()
    batch = pa.record_batch({"value": np.arange(1000.0)})
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    body = sink.getvalue().to_pybytes()[:4000]
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.apache.arrow.stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + f"{len(body):x}\r\n".encode() + body + b"\r\n"


class _answering:  # noqa: N801 (a context manager)
    """A server that gives one answer, and hangs up."""

    def __init__(self, answer: bytes) -> None:
        self._answer, self._bound = answer, socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://127.0.0.1:{self._bound.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self._thread.join(10)
        self._bound.close()

    def _serve(self) -> None:
        link, _ = self._bound.accept()
        with link:
            link.recv(65536)
            link.sendall(self._answer)
