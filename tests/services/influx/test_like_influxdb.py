"""The same lines and the same questions to a real InfluxDB 1 and to our server: the same JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from running_server import running
from shopfloor.services.historian import Product
from store_servers import server

S = 10**9
T = 1_700_000_000 // 60 * 60
LINES = "\n".join(
    [f"cpu,host=a,core=0 load={i % 7 + 0.25},up=true {(T + 10 * i) * S}" for i in range(60) if i not in range(20, 32)]
    + [f"cpu,host=b,core=0 load={i * 1.5} {(T + 10 * i + 3) * S}" for i in range(0, 60, 7)]
    + [f"cpu,host=b,core=1 load={-i}.5,heat={i}.5 {(T + 10 * i) * S}" for i in range(5, 50, 5)]
    + [f'log,host=a,level=in\\ fo text="line {i} \\"x\\"",n={i}i {(T + i) * S + 123}' for i in range(5)]
    + [f"press\\ 7,host=c force={i}.25 {(T + i) * S}" for i in range(3)]
    + [
        f"m,{line[:-1]}{(T + int(line[-1])) * S}"
        for line in (
            'host=a v=1,n=1i,t="x",b=true 1',
            'host=a v=2,n=2i,t="" 2',
            "host=a v=3 3",
            'host=b t="y z",n=9i 4',
            'host=b\\ c\\,d\\=e,k="q" v=1.5e30,b=false 5',
            "host=a\\\\b v=0.00001 6",
        )
    ]
).replace(",up=true", "")
SPAN = f"time >= {T}s AND time < {T + 600}s"
GRAFANA = (
    'SELECT mean("load") FROM "cpu" WHERE ("host" =~ /^(a|b)$/)'
    f' AND time >= {T * 1000}ms and time <= {T * 1000 + 600_000}ms GROUP BY time(10s), "host"'
    " fill(null) ORDER BY time ASC"
)
QUERIES = [
    "SELECT load FROM cpu",
    f"SELECT load FROM cpu WHERE {SPAN} AND host = 'a' LIMIT 5",
    f"SELECT load FROM cpu WHERE host = 'a' AND time >= {T + 100}s AND time <= {T + 150}s",
    "SELECT load, heat FROM cpu WHERE host = 'b'",
    "SELECT load, host, core FROM cpu WHERE host = 'b' LIMIT 4",
    "SELECT * FROM cpu WHERE host = 'b' ORDER BY time DESC LIMIT 3",
    "SELECT * FROM cpu GROUP BY * LIMIT 2",
    "SELECT load FROM cpu GROUP BY host ORDER BY time DESC LIMIT 2 OFFSET 1",
    "SELECT load FROM cpu GROUP BY host, core SLIMIT 1 SOFFSET 1",
    "SELECT load * 2 + 1 AS twice FROM cpu LIMIT 3",
    "SELECT load FROM cpu WHERE host =~ /^[ab]$/ AND core != '0' LIMIT 3",
    "SELECT load FROM cpu WHERE (host = 'a' OR core = '1') AND host !~ /a/ LIMIT 3",
    "SELECT load FROM cpu WHERE nothing = '' LIMIT 1",
    "SELECT load FROM cpu WHERE host = 'nobody'",
    "SELECT nothing FROM cpu",
    "SELECT load FROM nothing",
    "SELECT text, n FROM log",
    'SELECT force FROM "press 7"',
    "SELECT load FROM cpu -- a comment\n LIMIT 1",
    f"SELECT max(load), max(n) FROM /./ WHERE {SPAN} GROUP BY host ORDER BY time DESC",
    "SELECT * FROM /p/ ORDER BY time DESC LIMIT 2",
    f"SELECT mean(load) FROM cpu WHERE {SPAN} GROUP BY time(1m)",
    f"SELECT mean(load), max(load), count(load) FROM cpu WHERE {SPAN} GROUP BY time(1m), host",
    f"SELECT min(load), max(load), sum(load), first(load), last(load), spread(load) FROM cpu WHERE {SPAN}",
    f"SELECT mean(load) FROM cpu WHERE {SPAN} AND host = 'a' GROUP BY time(30s) fill(none)",
    f"SELECT mean(load) FROM cpu WHERE {SPAN} AND host = 'a' GROUP BY time(30s) fill(previous)",
    f"SELECT mean(load) FROM cpu WHERE {SPAN} AND host = 'a' GROUP BY time(30s) fill(linear)",
    f"SELECT mean(load) FROM cpu WHERE {SPAN} AND host = 'a' GROUP BY time(30s) fill(0)",
    f"SELECT count(load) FROM cpu WHERE {SPAN} AND host = 'a' GROUP BY time(30s)",
    f"SELECT mean(load) FROM cpu WHERE {SPAN} GROUP BY time(1m, 15s) LIMIT 3",
    f"SELECT mean(load) FROM cpu WHERE {SPAN} GROUP BY time(1m) ORDER BY time DESC LIMIT 3 OFFSET 1",
    f"SELECT mean(load) * 10 AS ten FROM cpu WHERE {SPAN} GROUP BY time(5m)",
    f"SELECT last(load) FROM cpu WHERE time < {T + 600}s GROUP BY host",
    "SELECT max(load) FROM cpu",
    "SELECT min(load) FROM cpu GROUP BY *",
    "SELECT first(load) FROM cpu WHERE host = 'b'",
    "SELECT mean(load) FROM cpu",
    "SELECT count(*) FROM cpu",
    f"SELECT mean(*) FROM cpu WHERE {SPAN} GROUP BY time(5m)",
    "SELECT count(text), last(text) FROM log",
    f"SELECT mean(load) FROM cpu WHERE time < {T + 180}s GROUP BY time(1m)",
    f"SELECT mean(load) FROM cpu WHERE time >= {T - 120}s AND time < {T + 60}s GROUP BY time(1m)",
    f"SELECT mean(load) FROM /^c/ WHERE {SPAN} GROUP BY host",
    "SELECT max(load) FROM cpu; SELECT min(load) FROM cpu",
    'SELECT "load" FROM "db"."autogen"."cpu" WHERE "host"::tag = \'a\' LIMIT 1',
    "SELECT load FROM db..cpu LIMIT 1",
    GRAFANA,
    f"SELECT mean(load), min(heat) FROM cpu WHERE {SPAN} AND host = 'b' GROUP BY time(2m), core",
    *(
        f"SELECT v, n, t FROM m WHERE {condition}"
        for condition in (
            *("v > 1", "v >= 2 AND n < 5", "v < 2 OR host = 'b'", "(v > 1 OR t = 'x') AND host = 'a'", "n > -5"),
            *("t = ''", "t != 'x'", "t <> ''", "t =~ /y/", "t !~ /x/", "v =~ /1/", "t < 'y'", "v != 2", "n = 2.0"),
            *("v = 'x'", "v != 'x'", "t = 5", "t != 5", "b = true", "b != true", "host = 5", "host > 'a'"),
            *("nothing > 5", "nothing != 5", "nothing = true", "nothing = ''", '"v"::field > 1.5 AND n::integer > 1'),
            f"v > 1 AND (time >= {T}s AND time < {T + 3}s)",
        )
    ),
    "SELECT count(v), max(n), last(t) FROM m WHERE v > 1",
    "SELECT max(v) FROM m WHERE v < 3",
    "SELECT first(v) FROM m WHERE v > 1 GROUP BY host",
    "SELECT mean(v) FROM m WHERE n > 1",
    "SELECT mean(v) FROM m WHERE v > 1000",
    "SELECT count(t) FROM m WHERE t = ''",
    f"SELECT mean(v), count(t) FROM m WHERE time >= {T}s AND time < {T + 10}s AND v > 1 GROUP BY time(2s)",
    "SELECT v FROM m WHERE v > 1 GROUP BY host ORDER BY time DESC LIMIT 1",
    "SHOW MEASUREMENTS",
    "SHOW MEASUREMENTS WITH MEASUREMENT =~ /p/ LIMIT 1",
    "SHOW MEASUREMENTS WHERE host = 'b'",
    "SHOW TAG KEYS",
    "SHOW TAG KEYS FROM cpu",
    "SHOW TAG VALUES FROM cpu WITH KEY = host",
    'SHOW TAG VALUES WITH KEY IN ("host", "core")',
    "SHOW TAG VALUES FROM cpu WITH KEY = core WHERE host = 'a'",
    "SHOW TAG VALUES FROM cpu WITH KEY =~ /o/ LIMIT 2",
    "SHOW FIELD KEYS FROM /^[clp]/",
    "SHOW FIELD KEYS FROM log",
    "SHOW SERIES",
    "SHOW SERIES FROM cpu WHERE host = 'b'",
    "SHOW RETENTION POLICIES ON db",
]  # fmt: skip


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """URLs of a real InfluxDB and of our server, which hold the same lines."""
    folder = tmp_path_factory.mktemp("both")
    with ExitStack() as stack:
        influx = server(Product.INFLUXDB, folder / "influx").start()
        stack.callback(influx.stop)
        real = influx.url
        ours = stack.enter_context(running(folder / "ours")).url
        httpx.post(f"{real}/query", params={"q": "CREATE DATABASE db"}, trust_env=False)
        for url in (real, ours):
            answer = httpx.post(f"{url}/write", params={"db": "db"}, content=LINES, trust_env=False)
            assert answer.status_code == 204, answer.text
        yield real, ours


def ask(url: str, query: str, **params: str) -> httpx.Response:
    return httpx.get(f"{url}/query", params={"db": "db", "q": query, **params}, trust_env=False, timeout=30)


def rounded(value: Any) -> Any:
    """Sums of floats differ in their last bits by the order of their terms; rows of one moment have no order."""
    if isinstance(value, float):
        return float(f"{value:.12g}")
    if isinstance(value, list):
        return [rounded(item) for item in value]
    if isinstance(value, dict) and "values" in value and value["columns"][0] == "time":
        return value | {"values": sorted(map(str, rounded(value["values"])))}
    return {key: rounded(item) for key, item in value.items()} if isinstance(value, dict) else value


@pytest.mark.foreign
@pytest.mark.parametrize("query", QUERIES)
def test_the_same_answer(both: tuple[str, str], query: str) -> None:
    real, ours = (ask(url, query) for url in both)
    assert rounded(ours.json()) == rounded(real.json())
    assert ours.status_code == real.status_code


@pytest.mark.foreign
@pytest.mark.parametrize(
    "params", [{"epoch": unit} for unit in ("ns", "u", "ms", "s", "m", "h")] + [{"pretty": "true"}]
)
def test_the_same_times(both: tuple[str, str], params: dict[str, str]) -> None:
    real, ours = (ask(url, "SELECT text FROM log", **params) for url in both)
    assert ours.json() == real.json()


@pytest.mark.foreign
@pytest.mark.parametrize(
    "query", ["SELECT load FROM cpu GROUP BY host", "SELECT max(load) FROM cpu; SHOW MEASUREMENTS"]
)
def test_the_same_chunks(both: tuple[str, str], query: str) -> None:
    real, ours = (ask(url, query, chunked="true", chunk_size="10", epoch="s") for url in both)
    assert [json.loads(line) for line in ours.text.splitlines()] == [
        json.loads(line) for line in real.text.splitlines()
    ]


@pytest.mark.foreign
@pytest.mark.parametrize(
    "query",
    [
        "SELECT load FROM cpu GROUP BY host, core",
        "SELECT load, heat, host FROM cpu WHERE host = 'b'",
        "SELECT text FROM log",
        "SELECT n FROM m; SELECT v, t FROM m WHERE v != 2 GROUP BY host, k",
        "SHOW TAG VALUES WITH KEY = host",
        "SELECT n FROM nothing",
    ],
)
def test_the_same_csv(both: tuple[str, str], query: str) -> None:
    params, headers = {"db": "db", "q": query}, {"Accept": "application/csv"}
    real, ours = (httpx.get(f"{url}/query", params=params, headers=headers, trust_env=False) for url in both)
    assert ours.text == real.text


@pytest.mark.foreign
def test_parameters_in_a_form_and_bound_names(both: tuple[str, str]) -> None:
    for params in ({"host": "b"}, {"host": "a' OR host = 'b"}):
        form = {"db": "db", "q": "SELECT load FROM cpu WHERE host = $host LIMIT 2", "params": json.dumps(params)}
        real, ours = (httpx.post(f"{url}/query", data=form, trust_env=False).json() for url in both)
        assert ours == real
