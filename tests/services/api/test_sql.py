"""SQL over real HTTP: answers, and one sentence for everything that a reader of history may not do."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pytest
from pydantic import TypeAdapter
from running_server import CNC, COUNT, POWER, STATE, Running, running, until
from shopfloor.plant import Sample
from shopfloor.services.api import sql
from shopfloor.services.api.wire import ARROW
from shopfloor.services.historian import StoreReader
from shopfloor.services.historian.read.sql import Limits, Query

S = 1_000_000_000
START = 1_790_000_000
ENDLESS = "SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("data")) as running_server:
        running_server.feed(*(Sample(POWER, (START + n) * S, float(n)) for n in range(600)))
        running_server.parts.historian.flush()
        running_server.feed(*(Sample(POWER, (START + n) * S, 2.0 * n) for n in range(595, 605)))  # late and repeated
        running_server.feed(*(Sample(COUNT, (START + n) * S, n) for n in range(3)))
        running_server.feed(Sample(STATE, START * S, "EXECUTE"))
        yield running_server


def ask(server: Running, query: str, **more: Any) -> httpx.Response:
    return server.client.post("/api/v1/sql", json={"query": query, **more})


def rows(server: Running, query: str, **more: Any) -> list[list[Any]]:
    answer = ask(server, query, **more)
    assert answer.status_code == 200, answer.text
    TypeAdapter(sql.Answer).validate_python(answer.json())
    return list(answer.json()["rows"])


def test_every_value_is_there_once(server: Running) -> None:
    total = sum(range(595)) + 2 * sum(range(595, 605))
    assert rows(server, f"SELECT count(*), sum(value) FROM samples WHERE tag = '{POWER}'") == [[605, total]]
    assert rows(server, "SELECT text, value FROM samples WHERE text IS NOT NULL") == [["EXECUTE", None]]
    assert rows(server, "SELECT count(*) FROM samples") == [[609]]


def test_tables_and_times(server: Running) -> None:
    assert rows(server, "SELECT asset, name FROM tags ORDER BY name DESC LIMIT 1") == [["cnc-01", "state"]]
    assert rows(server, f"SELECT value FROM latest WHERE tag = '{POWER}'") == [[1208.0]]
    said = rows(server, f"SELECT time, n FROM minutes WHERE tag = '{POWER}' ORDER BY time LIMIT 1")
    assert said == [[START // 60 * 60_000.0, 60 - START % 60]]
    assert sum(n for (n,) in rows(server, "SELECT n FROM hours WHERE sum IS NOT NULL")) == 608
    answer = ask(server, "SELECT min(time) AS first, count(*) FROM samples", tags=[CNC], start=(START + 10) * 1000)
    assert answer.json()["rows"] == [[(START + 10) * 1000, 595]]
    assert answer.json()["columns"] == ["first", "count_star()"]
    assert "DuckDB: 1 files" in answer.headers["x-explain"]


def test_arrow_of_any_length(server: Running) -> None:
    body = {"query": "SELECT range AS n, repeat('x', 20) AS text FROM range(400000)"}
    answer = server.client.post("/api/v1/sql", json=body, headers={"Accept": ARROW})
    table = pa.ipc.open_stream(answer.content).read_all()
    assert table.num_rows == 400_000
    assert len(table.to_batches()) > 4
    nothing = server.client.post("/api/v1/sql", json={"query": "SELECT 1 AS a WHERE false"}, headers={"Accept": ARROW})
    assert pa.ipc.open_stream(nothing.content).read_all().to_pydict() == {"a": []}


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("SELECT * FROM read_csv('/etc/passwd')", "file system operations are disabled"),
        ("SELECT * FROM '/etc/passwd'", "Table with name /etc/passwd does not exist"),
        ("SELECT * FROM read_text('log.db')", "file system operations are disabled"),
        ("SELECT * FROM glob('/*')", "file system operations are disabled"),
        ("ATTACH '/tmp/other.db'", "ATTACH cannot be run"),
        ("COPY samples TO '/tmp/samples.csv'", "COPY cannot be run"),
        ("INSERT INTO samples VALUES (1)", "INSERT cannot be run"),
        ("CREATE TABLE mine AS SELECT 1", "CREATE cannot be run"),
        ("DROP VIEW samples", "DROP cannot be run"),
        ("INSTALL httpfs", "LOAD cannot be run"),
        ("LOAD httpfs", "LOAD cannot be run"),
        ("SET memory_limit = '8GB'", "SET cannot be run"),
        ("PRAGMA database_list", "cannot be run"),
        ("SELECT 1; SELECT 2", "SQL here is one SELECT on samples, minutes, hours, tags, latest: 2 statements"),
        ("", "The body value 'query'"),
        ("-- nothing", "0 statements cannot be run"),
        ("SELEC 1", "syntax error at or near"),
        ("SELECT speed FROM samples", 'Referenced column "speed" not found'),
        ("SELECT * FROM sample", "Did you mean"),
        ("SELECT 1 / 'a'", "The query cannot be run"),
        ("SELECT string_agg(repeat('x', 1000), '') FROM range(3000000)", "The query needs more than 512 MB"),
        ("SELECT * FROM range(300000)", "values are too many for JSON"),
    ],
)
def test_every_refusal_is_one_sentence(server: Running, query: str, sentence: str) -> None:
    answer = ask(server, query)
    assert (answer.status_code, list(answer.json())) == (422, ["detail"])
    assert sentence in answer.json()["detail"]
    assert "\n" not in answer.json()["detail"]


def test_no_file_of_the_store_can_be_written(server: Running) -> None:
    before = {path: path.stat().st_mtime_ns for path in server.folder.rglob("*.parquet")}
    path = next(iter(before))
    for query in (
        f"COPY (SELECT 1) TO '{path}'",
        f"COPY tags TO '{path}' (FORMAT parquet)",
        f"ATTACH '{path}' AS mine",
    ):
        assert ask(server, query).status_code == 422
    assert {path: path.stat().st_mtime_ns for path in server.folder.rglob("*.parquet")} == before


def test_a_runaway_query_is_stopped(server: Running) -> None:
    from shopfloor.plant import QuestionError

    query = server.parts.historian.reader.sql(ENDLESS, limits=Limits(seconds=0.3))
    with pytest.raises(QuestionError, match=r"took longer than 0\.3 s and was stopped"):
        list(query.batches())


def test_the_work_ends_when_the_client_goes_away(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Real sockets that close: both turns come back, long before the time limit."""
    under_way: list[Query] = []
    prepare = StoreReader.sql

    def noted(reader: StoreReader, text: str, **more: Any) -> Query:
        under_way.append(prepare(reader, text, **more))
        return under_way[-1]

    with monkeypatch.context() as patch, ExitStack() as links:
        patch.setattr(StoreReader, "sql", noted)
        for _ in range(2):
            links.enter_context(endless(server))
        until(lambda: len(under_way) == 2)
        busy = ask(server, "SELECT 1")
        assert (busy.status_code, busy.json()["detail"]) == (503, "2 queries are running: ask again soon.")
        assert busy.headers["retry-after"] == "1"
    until(lambda: ask(server, "SELECT 1").status_code == 200)
    assert rows(server, "SELECT 1") == [[1]]


def endless(server: Running) -> socket.socket:
    """A link whose query takes longer than anybody waits."""
    body = b'{"query": "' + ENDLESS.encode() + b'"}'
    head = "POST /api/v1/sql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
    link = socket.create_connection(("127.0.0.1", server.client.base_url.port or 0))
    link.sendall(f"{head}{len(body)}\r\n\r\n".encode() + body)
    return link


def test_a_forgotten_token_is_not_enough(tmp_path: Path) -> None:
    with running(tmp_path, host="0.0.0.0") as closed:
        assert ask(closed, "SELECT 1").status_code == 401
        assert closed.client.get("/api/v1/history/read", params={"tag": POWER}).status_code == 401
