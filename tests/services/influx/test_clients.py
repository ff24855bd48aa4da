"""Real clients of InfluxDB, unmodified, against our server; Telegraf and Grafana by the requests that they send."""

from __future__ import annotations

import base64
import gzip
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from influxdb import InfluxDBClient as Version1
from influxdb.exceptions import InfluxDBClientError
from influxdb_client import InfluxDBClient, Point, WriteOptions, WritePrecision
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException
from running_server import POWER, Running, S, running, until
from shopfloor.plant import Sample
from shopfloor.services.security import Scope

pytestmark = pytest.mark.foreign
FOREIGN = Path(__file__).parents[2] / "foreign"
T = 1_700_000_000 * S


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server on a network, as far as the guard is concerned: everybody shows a token."""
    with running(tmp_path_factory.mktemp("clients"), host="0.0.0.0") as running_server:
        yield running_server


@pytest.fixture(scope="module")
def token(server: Running) -> str:
    return server.parts.tokens.create("press")


def stored(server: Running, path: str) -> list[tuple[int, Any]]:
    table = server.parts.historian.reader.read([f"delta/{path}"], 0, 1 << 62)
    times = table.column("time").cast("int64").to_pylist()
    texts, numbers = table.column("text").to_pylist(), table.column("value").to_pylist()
    return [(at, n if t is None else t) for at, n, t in zip(times, numbers, texts, strict=True)]


def node(folder: str) -> str:
    """Path of Node.js; where it or the packages are missing the test is skipped, or fails in CI."""
    found = shutil.which("node")
    if found is None or not (FOREIGN / folder / "node_modules").is_dir():
        sentence = f"the packages of tests/foreign/{folder} are not installed: run 'npm ci' there"
        pytest.fail(sentence) if os.environ.get("CI", "").lower() == "true" else pytest.skip(sentence)
    return found


def test_the_python_client_of_version_2(server: Running, token: str) -> None:
    with InfluxDBClient(url=server.url, token=token, org="plant", enable_gzip=True) as client:
        assert client.ping()
        assert client.version().startswith("shopfloor-")
        assert client.buckets_api().find_bucket_by_name("py2").name == "py2"
        assert client.organizations_api().find_organizations()[0].name == "delta"
        api = client.write_api(write_options=SYNCHRONOUS)
        point = (
            Point("cpu").tag("host", "a b,c=d").field("load", 1.5).field("n", 7).field("up", True).field("t", 'x "y"')
        )
        api.write("py2", "plant", point.time(T, WritePrecision.NS))
        with pytest.raises(ApiException) as caught:
            api.write("py2", "plant", f"cpu load=2 {T}\ncpu load=no {T}")
        assert caught.value.status == 400
        assert "line 2, column 10" in caught.value.message
        with client.write_api(write_options=WriteOptions(batch_size=50, flush_interval=100)) as batching:
            for i in range(200):
                batching.write("py2", "plant", {"measurement": "b", "fields": {"v": float(i)}, "time": T + i})
    head = "py2/influx/cpu/host=a b%2Cc%3Dd"
    assert [stored(server, f"{head}/{name}") for name in ("load", "n", "up", "t")] == [
        [(T, 1.5)], [(T, 7.0)], [(T, 1.0)], [(T, 'x "y"')]]  # fmt: skip
    assert [value for _, value in stored(server, "py2/influx/b/-/v")] == [float(i) for i in range(200)]


def test_the_python_client_of_version_1(server: Running, token: str) -> None:
    client = Version1("127.0.0.1", server.client.base_url.port, "any", token, "py1", gzip=True)
    assert client.ping().startswith("shopfloor-")
    client.create_database("py1")
    lines = [{"measurement": "cpu", "tags": {"host": h}, "time": T + i, "fields": {"load": i + 0.5}}
             for i, h in enumerate(("a", "b"))]  # fmt: skip
    assert client.write_points(lines)
    assert {"name": "py1"} in client.get_list_database()
    assert {"name": "cpu"} in client.get_list_measurements()
    found = client.query("SELECT load FROM cpu WHERE host = $host", bind_params={"host": "b"}, epoch="ns")
    assert list(found.get_points()) == [{"time": T + 1, "load": 1.5}]
    many = client.query("SELECT load FROM cpu GROUP BY host", chunked=True, chunk_size=1)
    assert [point["load"] for one in many for point in one.get_points()] == [0.5, 1.5]
    with pytest.raises(InfluxDBClientError, match=r"median\(\) at character 8 is not answered here"):
        client.query("SELECT median(load) FROM cpu")
    stranger = Version1("127.0.0.1", server.client.base_url.port, database="py1")
    with pytest.raises(InfluxDBClientError, match="asks for a token"):
        stranger.write_points(lines)


def test_a_client_that_sends_root_unasked_works_on_loopback(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        client = Version1("127.0.0.1", server.client.base_url.port, database="it")
        assert client.write_points([{"measurement": "cpu", "fields": {"load": 1.5}}])
        assert [point["load"] for point in client.query("SELECT load FROM cpu").get_points()] == [1.5]


def test_the_javascript_clients(server: Running, token: str) -> None:
    command = [node("influx"), str(FOREIGN / "influx" / "clients.js"), str(server.client.base_url.port), token]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["refused"]["status"] == 400
    assert "line 1, column 10: a number" in said["refused"]["message"]
    assert said["online"]
    assert {"cpu", "disk"} <= {*said["measurements"]}
    assert "js" in said["names"]
    ms = T // 10**6
    same = {"up": 1, "said": 'a "b"', "host": "press pc"}
    expected = [{"time": ms + i, "load": i + 0.5, "n": i, **same} for i in range(3)]
    assert said["groups"] == [{"tags": {"host": "press pc"}, "rows": expected}]
    assert said["disk"] == [[ms, 12.5]]
    assert [load for _, load in said["means"] if load is not None] == [1.5]


def flows(port: int, result: Path) -> list[dict[str, Any]]:
    """One flow that writes by both versions of the node, and one that asks until it is stopped."""
    once = {"type": "inject", "once": True, "onceDelay": 0.1, "props": [{"p": "payload"}], "payloadType": "date"}
    out = {"type": "influxdb out", "precision": "ms", "precisionV18FluxV20": "ms", "org": "plant", "bucket": "red"}
    return [
        {"id": "tab", "type": "tab"},
        {"id": "one", "type": "influxdb", "hostname": "127.0.0.1", "port": str(port), "database": "red",
         "influxdbVersion": "1.x"},
        {"id": "two", "type": "influxdb", "url": f"http://127.0.0.1:{port}", "influxdbVersion": "2.0", "timeout": 10},
        {"id": "start", "z": "tab", **once, "wires": [["make"]]},
        {"id": "make", "z": "tab", "type": "function", "wires": [["out1", "out2"]], "outputs": 1,
         "func": "msg.payload = [{force: 12.5, said: 'ok'}, {machine: 'press 7'}]; return msg"},
        {"id": "out1", "z": "tab", **out, "influxdb": "one", "measurement": "press"},
        {"id": "out2", "z": "tab", **out, "influxdb": "two", "measurement": "press2"},
        {"id": "tick", "z": "tab", **once, "repeat": "0.3", "wires": [["in"]]},
        {"id": "in", "z": "tab", "type": "influxdb in", "influxdb": "one", "wires": [["text"]],
         "query": "SELECT force, said, machine FROM press, press2"},
        {"id": "text", "z": "tab", "type": "json", "property": "payload", "action": "str", "wires": [["keep"]]},
        {"id": "keep", "z": "tab", "type": "file", "filename": str(result), "filenameType": "str",
         "overwriteFile": "true", "wires": [[]]},
    ]  # fmt: skip


def test_node_red(server: Running, token: str, tmp_path: Path) -> None:
    program, result, port = node("node_red"), tmp_path / "result.json", server.client.base_url.port or 0
    (tmp_path / "node_modules").symlink_to(FOREIGN / "node_red" / "node_modules")
    (tmp_path / "flows.json").write_text(json.dumps(flows(port, result)))
    (tmp_path / "flows_cred.json").write_text(
        json.dumps({"one": {"username": "any", "password": token}, "two": {"token": token}})
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        own = probe.getsockname()[1]
    (tmp_path / "settings.js").write_text(
        f"module.exports = {{ uiPort: {own}, uiHost: '127.0.0.1', flowFile: 'flows.json', credentialSecret: false,"
        " httpAdminRoot: false, logging: { console: { level: 'warn' } }, telemetry: { enabled: false } }"
    )
    script = FOREIGN / "node_red" / "node_modules" / "node-red" / "red.js"
    command = [program, str(script), "--userDir", str(tmp_path), "--settings", str(tmp_path / "settings.js")]
    with (tmp_path / "out.txt").open("w") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        try:
            until(lambda: process.poll() is not None or [r["said"] for r in rows(result)] == ["ok"] * 2, 90)
        finally:
            process.terminate()
            process.wait(20)
    assert [(r["force"], r["said"], r["machine"]) for r in rows(result)] == [(12.5, "ok", "press 7")] * 2, (
        tmp_path / "out.txt"
    ).read_text()
    assert len(stored(server, "red/influx/press2/machine=press 7/force")) == 1


def rows(result: Path) -> list[dict[str, Any]]:
    """What the flow asked for last; nothing while the file is being written."""
    try:
        found = json.loads(result.read_text())
    except (OSError, ValueError):
        return []
    return [row for one in found for row in (one if isinstance(one, list) else [one])]


TELEGRAF = f"""cpu,cpu=cpu0,host=press-pc usage_user=3.1,usage_system=1.2,usage_idle=95.7 {T}
cpu,cpu=cpu-total,host=press-pc usage_user=2.9,usage_system=1.1,usage_idle=96 {T}
disk,device=sda1,fstype=ext4,host=press-pc,mode=rw,path=/var total=105555197952i,free=4096i,used_percent=41.25 {T}
system,host=press-pc uptime_format="12 days,  3:04" {T}
"""


def test_what_telegraf_sends(server: Running) -> None:
    """Its outputs influxdb_v2 (gzip, Token) and influxdb (CREATE DATABASE in a form, Basic)."""
    token = server.parts.tokens.create("telegraf", Scope.WRITE)
    agent = {
        "user-agent": "Telegraf/1.32.0 Go/1.23.0",
        "content-type": "text/plain; charset=utf-8",
        "content-encoding": "gzip",
    }
    body = gzip.compress(TELEGRAF.encode())
    answer = server.client.post(
        "/api/v2/write?bucket=it&org=plant", content=body, headers={**agent, "authorization": f"Token {token}"}
    )
    assert answer.status_code == 204
    basic = {"authorization": "Basic " + base64.b64encode(f"telegraf:{token}".encode()).decode()}
    answer = server.client.post("/write?db=it1", content=body, headers={**agent, **basic})
    assert answer.status_code == 204
    for bucket in ("it", "it1"):
        assert stored(server, f"{bucket}/influx/cpu/cpu=cpu0,host=press-pc/usage_idle") == [(T, 95.7)]
        disk = "disk/device=sda1,fstype=ext4,host=press-pc,mode=rw,path=%2Fvar"
        assert stored(server, f"{bucket}/influx/{disk}/total") == [(T, 105555197952.0)]
        assert stored(server, f"{bucket}/influx/system/host=press-pc/uptime_format") == [(T, "12 days,  3:04")]


def test_what_grafana_asks(server: Running) -> None:
    """Its InfluxQL data source: the test of the connection, the query editor, a panel by GET and by POST."""
    token = server.parts.tokens.create("grafana", Scope.READ)
    basic = {
        "authorization": "Basic " + base64.b64encode(f"grafana:{token}".encode()).decode(),
        "user-agent": "Grafana/11",
    }
    now = time.time_ns() // S * S
    server.feed(*(Sample(POWER, now - i * S, 2.0) for i in range(60, 0, -1)))

    def ask(query: str, method: str) -> Any:
        params = {"db": "shopfloor", "epoch": "ms"}
        if method == "GET":
            answer = server.client.get("/query", params={**params, "q": query}, headers=basic)
        else:
            answer = server.client.post("/query", params=params, data={"q": query}, headers=basic)
        assert answer.status_code == 200, answer.text
        (result,) = answer.json()["results"]
        return [(one.get("tags"), one["values"]) for one in result.get("series", [])]

    panel = (
        'SELECT mean("value") FROM "spindle.power" WHERE ("asset"::tag =~ /^cnc-01$/)'
        f" AND time >= {(now - 60 * S) // 10**6}ms and time <= {now // 10**6}ms"
        ' GROUP BY time(20s), "asset"::tag fill(null) ORDER BY time ASC'
    )
    for method in ("GET", "POST"):
        assert ask('SHOW RETENTION POLICIES on "shopfloor"', method)[0][1][0][0] == "autogen"
        assert ask("SHOW MEASUREMENTS WITH MEASUREMENT =~ /(?i)spindle/ LIMIT 100", method)[0][1] == [["spindle.power"]]
        assert ["asset"] in ask('SHOW TAG KEYS FROM "spindle.power"', method)[0][1]
        assert ask('SHOW TAG VALUES FROM "spindle.power" WITH KEY = "asset"', method)[0][1] == [["asset", "cnc-01"]]
        assert ["value", "float"] in ask('SHOW FIELD KEYS FROM "spindle.power"', method)[0][1]
        ((tags, points),) = ask(panel, method)
        assert tags == {"asset": "cnc-01"}
        assert {value for _, value in points} <= {2, None}
        assert sum(value == 2 for _, value in points) >= 3
