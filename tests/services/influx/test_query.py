"""InfluxQL over HTTP: the plant's own tags, what is not answered and how that is said, and limits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from running_server import COUNT, POWER, STATE, Running, S, running
from shopfloor.plant import Kind, Sample
from shopfloor.plant.quality import BAD, BAD_SENSOR_FAILURE
from shopfloor.services.influx.ql import series
from shopfloor.services.influx.ql.lexer import QueryError
from shopfloor.services.influx.ql.parser import parse

T = 1_700_000_000 // 3600 * 3600 * S
LEVELS = {"site": "delta", "area": "frames", "line": "machining", "cell": "cell-a", "asset": "cnc-01"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("query")) as running_server:
        running_server.feed(
            *(Sample(POWER, T + i * S, float(i), BAD_SENSOR_FAILURE if i == 3 else 0) for i in range(7200))
        )
        running_server.feed(Sample(STATE, T, "IDLE"), Sample(STATE, T + 5 * S, "EXECUTE"), kind=Kind.TEXT)
        running_server.feed(Sample(COUNT, T, 7), kind=Kind.INT)
        running_server.client.post("/write?db=it", content=f"cpu,host=a load=1.5 {T}")
        yield running_server


def ask(server: Running, query: str, db: str = "shopfloor", **params: str) -> dict[str, Any]:
    answer = server.client.get("/query", params={"q": query, "db": db, "epoch": "s", **params})
    assert answer.status_code == 200, answer.text
    (result,) = answer.json()["results"]
    return dict(result)


def values(server: Running, query: str, db: str = "shopfloor") -> list[list[Any]]:
    return [row for one in ask(server, query, db).get("series", []) for row in one["values"]]


def test_tags_of_the_plant_are_measurements(server: Running) -> None:
    (one,) = ask(server, 'SELECT value, quality FROM "spindle.power" GROUP BY * LIMIT 4')["series"]
    assert one["tags"] == LEVELS
    assert one["values"][2:] == [[T // S + 2, 2, 0], [T // S + 3, 3, BAD_SENSOR_FAILURE]]
    assert values(server, "SELECT text FROM state") == [[T // S, "IDLE"], [T // S + 5, "EXECUTE"]]
    assert values(server, 'SELECT integer FROM "part.count"') == [[T // S, 7]]
    assert values(server, 'SHOW FIELD KEYS FROM "part.count"') == [["integer", "integer"], ["quality", "integer"]]
    assert ["spindle.power"] in values(server, "SHOW MEASUREMENTS")


def test_bad_values_stay_out_of_aggregates(server: Running) -> None:
    query = (
        f'SELECT count(value), sum(value), max(value) FROM "spindle.power" WHERE time >= {T} AND time < {T + 10 * S}'
    )
    assert values(server, query) == [[T // S, 9, 42, 9]]


def test_a_condition_on_quality_says_which_values_are_meant(server: Running) -> None:
    span = f"time >= {T} AND time < {T + 10 * S}"
    what = f'SELECT count(value), sum(value), max(value) FROM "spindle.power" WHERE {span}'
    assert values(server, f"{what} AND quality < {BAD}") == [[T // S, 9, 42, 9]]
    assert values(server, f"{what} AND quality >= {BAD}") == [[T // S, 1, 3, 3]]
    assert values(server, f"{what} AND value < 5") == [[T // S, 4, 7, 4]]
    assert values(server, f"{what} AND (quality >= {BAD} OR value > 7)") == [[T // S, 3, 20, 9]]
    last = "SELECT max(value) FROM \"spindle.power\" WHERE value < 5000 AND asset = 'cnc-01'"
    assert values(server, last) == [[T // S + 4999, 4999]]
    worst = f'SELECT count(quality), max(quality) FROM "spindle.power" WHERE {span} GROUP BY time(5s)'
    assert values(server, worst) == [[T // S, 5, BAD_SENSOR_FAILURE], [T // S + 5, 5, 0]]


def test_buckets_that_begin_anywhere_hold_what_they_should(server: Running) -> None:
    """Against the plain sums: spans that start and end inside minutes and hours, with and without buckets."""
    for start, end, every in (
        (0, 7200, 3600),
        (17, 7000, 60),
        (3599, 3661, 60),
        (100, 101, 60),
        (61, 5000, 0),
        (5, 40, 0),
    ):
        group = f" GROUP BY time({every}s)" if every else ""
        span = f"time >= {T + start * S} AND time < {T + end * S}"
        rows = values(server, f'SELECT sum(value), count(value), min(value) FROM "spindle.power" WHERE {span}{group}')
        good = [i for i in range(start, end) if i != 3]
        expected: dict[int, list[int]] = {}
        for i in good:
            expected.setdefault(i // every * every if every else start, []).append(i)
        assert rows == [[T // S + at, sum(held), len(held), min(held)] for at, held in expected.items()]


def test_a_bucket_shows_its_own_lines_beside_the_plant(server: Running) -> None:
    assert values(server, "SELECT load FROM cpu", "it") == [[T // S, 1.5]]
    assert values(server, "SELECT load FROM cpu", "other") == []
    assert ["cpu"] in values(server, "SHOW MEASUREMENTS", "it")
    assert values(server, "SHOW DATABASES") == [["it"], ["shopfloor"]]
    assert values(server, "SHOW MEASUREMENTS ON it LIMIT 1") == [["cpu"]]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "SELECT or SHOW was expected"),
        ("SELEKT v FROM m", "found 'SELEKT' at character 1: SELECT, SHOW or CREATE DATABASE was expected"),
        ("SELECT v", "found the end of the query: FROM was expected"),
        ("SELECT percentile(v, 95) FROM m", "percentile() at character 8 is not answered here: count, first, last"),
        ("SELECT mean(v), v FROM m", "'v' stands beside an aggregate"),
        ("SELECT v FROM m GROUP BY time(1m)", "GROUP BY time needs an aggregate"),
        ("SELECT mean(v) FROM m GROUP BY time(0s)", "a duration above 0"),
        ("SELECT mean(v) FROM m GROUP BY time(1m) fill(next)", "fill takes null, none, previous, linear or a number"),
        ("SELECT mean(v) FROM (SELECT v FROM m)", "a query in a query"),
        ("SELECT v INTO n FROM m", "SELECT … INTO writes"),
        ("SELECT v FROM m WHERE v > w", "'v' is compared with 'w' at character 27: a 'text', a number, true, false"),
        ("SELECT v FROM m WHERE v > 5 * 2", "arithmetic in WHERE ('*' at character 29) is not answered here"),
        ("SELECT v FROM m WHERE time > 'soon'", "a time was expected, as in now() - 1h"),
        ("SELECT v FROM m WHERE time != 5", "time != is not answered here"),
        ("SELECT v FROM m WHERE host = 'a' OR time > 5", "time is compared inside OR"),
        ("SELECT v FROM m LIMIT -1", "a whole number after LIMIT was expected"),
        ("SELECT v FROM m tz('Asia/Shanghai')", "tz() is not answered here"),
        ("SELECT v FROM m; DROP DATABASE x", "found 'DROP' at character 18"),
        ("SELECT 1 FROM m", "selects no field"),
        ("SELECT v FROM m WHERE host = $host", "no text or number was sent for '$host'"),
        ("SELECT v FROM m WHERE host = 'open", "is no word of a query"),
        ("SELECT " + "(" * 200 + "v", "nests more than 100 expressions"),
    ],
)
def test_what_is_not_understood_is_one_sentence(server: Running, query: str, words: str) -> None:
    answer = server.client.get("/query", params={"q": query + " ", "db": "it"})
    assert answer.status_code == 400
    assert words in answer.json()["error"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SHOW SERIES FROM cpu WHERE load > 1", "'load' is a field: SHOW takes conditions on tags"),
        ("SELECT load FROM cpu WHERE host =~ /(/", "is no regex"),
        ("SELECT mean(text) FROM state", "mean() of the text 'text': count, first and last"),
        ("SELECT 2 * * FROM cpu", "* inside arithmetic is not answered here"),
    ],
)
def test_what_cannot_be_answered_is_the_error_of_its_statement(server: Running, query: str, words: str) -> None:
    answer = server.client.get("/query", params={"q": f"SHOW DATABASES; {query}", "db": "it"})
    first, second = answer.json()["results"]
    assert "series" in first
    assert words in second["error"]
    assert second["statement_id"] == 1


def test_a_query_needs_q_and_a_database(server: Running) -> None:
    assert 'missing required parameter "q"' in server.client.get("/query").json()["error"]
    assert "database name required" in ask(server, "SELECT v FROM m", db="")["error"]
    assert server.client.get("/query", params={"q": "SHOW DATABASES", "epoch": "year"}).status_code == 400
    assert "Flux is not spoken" in server.client.post("/api/v2/query", json={}).json()["message"]


def test_an_answer_that_nobody_could_read_is_refused(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "more than 1000000 rows" in ask(server, 'SELECT mean(value) FROM "spindle.power" GROUP BY time(1u)')["error"]
    monkeypatch.setattr(series, "MOST_ROWS", 1000)
    assert "more than 1000 rows" in ask(server, 'SELECT value FROM "spindle.power"')["error"]
    assert len(values(server, 'SELECT value FROM "spindle.power" ORDER BY time DESC LIMIT 5')) == 5


def test_asking_needs_a_token_on_a_network(tmp_path: Path) -> None:
    with running(tmp_path, host="0.0.0.0") as server:
        token = server.parts.tokens.create("grafana")
        params = {"q": "SHOW DATABASES"}
        assert server.client.get("/query", params=params).status_code == 401
        assert server.client.get("/query", params={**params, "u": "x", "p": token}).status_code == 200
        assert server.client.get("/api/v2/buckets", headers={"Authorization": f"Token {token}"}).status_code == 200


WORDS = [
    *(
        "SELECT",
        "SHOW",
        "FROM",
        "WHERE",
        "GROUP",
        "BY",
        "time",
        "(",
        ")",
        "mean",
        "value",
        "m",
        "'a'",
        "/x/",
        "=~",
        "=",
    ),
    *("AND", "OR", ",", "*", "1m", "5", "now", "-", "fill", "TAG", "VALUES", "WITH", "KEY", "LIMIT", ";", ".", "::"),
    *('"q"', "$b", "\\", "'", "/"),
]


@given(st.lists(st.sampled_from(WORDS), max_size=20).map(" ".join))
def test_any_words_are_a_query_or_one_sentence(query: str) -> None:
    with suppress(QueryError):
        assert parse(query, 0)
