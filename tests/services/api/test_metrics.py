"""Metrics: valid for Prometheus' own parser, behind the guard, and true."""

from __future__ import annotations

import os
from pathlib import Path

import httpx
import pytest
from brokers import free_port
from running_server import PLANT, POWER, plant, running, until
from shopfloor.plant import Sample
from shopfloor.services.historian import SourceLedger
from shopfloor.services.historian.meters import Meters
from shopfloor.services.metrics import CONTENT_TYPE, text

if not os.environ.get("CI"):
    pytest.importorskip("prometheus_client")


def families(body: str) -> dict[str, dict[tuple[str, ...], float]]:
    """Samples by name, then by the values of their labels, as Prometheus' own client reads them."""
    from prometheus_client.parser import text_string_to_metric_families

    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(body):
        assert family.documentation
        assert family.type in {"gauge", "counter", "histogram"}
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


def test_metrics_say_what_the_store_holds_and_how_long_it_takes(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        for number in range(3):
            server.feed(Sample(POWER, server.parts.clock() + number, 1.0))
        server.parts.historian.flush()
        reply = server.client.get("/metrics")
        assert (reply.status_code, reply.headers["content-type"]) == (200, CONTENT_TYPE)
        found = families(reply.text)
    assert found["shopfloor_store_rows"] == {(): 3}
    assert found["shopfloor_store_segments"] == {(): 1}
    assert found["shopfloor_store_append_seconds_count"] == {(): 3}
    assert found["shopfloor_store_flush_seconds_count"] == {(): 1}
    assert found["shopfloor_store_append_seconds_bucket"][("+Inf",)] == 3
    assert found["shopfloor_store_append_seconds_sum"][()] > 0
    assert {state for (state,), on in found["shopfloor_store_state"].items() if on} == {"ok"}
    assert found["shopfloor_ledger_values_total"][("edge-1-00c0ffee", "machining", "stored")] == 3
    assert found["shopfloor_ledger_balanced"][("edge-1-00c0ffee", "machining")] == 1
    assert found["shopfloor_store_log_bytes"][()] > 0


def test_copies_in_server_stores_are_in_health_and_metrics(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    config = plant(f"{PLANT}store: {{forward: [{{kind: influxdb, url: '{url}', org: o, bucket: b}}]}}\n")
    with running(tmp_path, config) as server:
        server.feed(Sample(POWER, server.parts.clock(), 1.0))
        server.parts.historian.flush()
        (told,) = until(lambda: [t for t in server.get("/health")["store"]["targets"] if t["trouble"]])
        assert "does not answer" in told.pop("trouble")
        assert told == {"target": f"{url} o/b", "kind": "influxdb", "waiting": 1, "refused": 0, "said": ""}
        found = families(server.client.get("/metrics").text)
    assert found["shopfloor_store_target_up"] == {(f"{url} o/b",): 0}
    assert found["shopfloor_store_target_waiting_segments"] == {(f"{url} o/b",): 1}


def test_a_server_on_the_network_shows_metrics_to_tokens_only(tmp_path: Path) -> None:
    with running(tmp_path, host="0.0.0.0") as server:
        assert server.client.get("/metrics").status_code == 401
        token = server.parts.tokens.create("prometheus")
        reply = httpx.get(f"{server.url}/metrics", headers={"Authorization": f"Bearer {token}"}, trust_env=False)
        assert reply.status_code == 200


def test_names_that_gateways_chose_are_escaped() -> None:
    stats = {
        "rows": 0, "bytes": 0, "segments": 0, "memory_rows": 0, "log_bytes": 0, "oldest": None, "newest": None,
        "collapsed": 0, "damaged": ["x"], "state": "damaged",
        "targets": [{"target": "http://127.0.0.1:1 /b", "trouble": "away", "waiting": 2, "refused": 7, "said": "no"}],
    }  # fmt: skip
    name = 'a "quoted"\nname\\ of 工位'
    row = SourceLedger("edge", name, 1, 1, 0, 0, 0, 0, 0, 0, 0, "")
    found = families(text(stats, [row], Meters()))
    assert found["shopfloor_ledger_values_total"][("edge", name, "accepted")] == 1
    assert found["shopfloor_store_damaged_parts"] == {(): 1}
    assert found["shopfloor_store_target_up"] == {("http://127.0.0.1:1 /b",): 0}
    assert found["shopfloor_store_target_waiting_segments"] == {("http://127.0.0.1:1 /b",): 2}
    assert found["shopfloor_store_target_refused_values"] == {("http://127.0.0.1:1 /b",): 7}
