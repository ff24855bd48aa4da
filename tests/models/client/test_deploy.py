"""From a notebook to the registry of a real server: what it answers, and what it refuses, in one sentence."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest
from running_server import Running, running
from shopfloor.models.client import Dataset, dataset, deploy, scrap
from shopfloor.models.client.server import Server
from shopfloor.models.streaming import StreamSpec
from shopfloor.plant import QuestionError, StoreError
from sklearn.covariance import LedoitWolf
from sklearn.linear_model import LogisticRegression, Ridge
from strained import ASSETS, TAGS, S, feed

NOON = 1_790_000_000 * S
SPEC = StreamSpec.of(TAGS, every=10, hold=60, lookback=60)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("deploy")) as server:
        feed(server, NOON, NOON + 3600 * S, times=5)
        yield server


@pytest.fixture(scope="module")
def rows(server: Running) -> Dataset:
    return dataset(scrap("part.count"), spec=SPEC, start=NOON, end=NOON + 3600 * S, before="1min", url=server.url)


def test_one_call_and_it_is_a_shadow_with_its_lineage(server: Running, rows: Dataset) -> None:
    model = LogisticRegression().fit(rows.x, rows.y)
    found = deploy(
        model, None, rows, name="bad-part", title="Bad part", by="Anna", why="a pilot", scope="delta/frames",
        url=server.url,
    )  # fmt: skip
    assert (found.name, found.number, found.scope, found.stage) == ("bad-part", 1, "delta/frames", "shadow")
    assert str(found) == f"{found.sentence} {server.url}/models"
    (event, *_) = server.get("/registry/bad-part/events")[::-1]
    assert (event["by"], event["why"]) == ("Anna", "a pilot")
    lineage = server.parts.registry.bundles.at(found.sha)
    assert rows.sha in (lineage / "manifest.json").read_text()
    assert "hidden" not in repr(replace(found, server=Server(server.url, "hidden")))


def test_truths_are_numbers_or_whether_something_unusual_was_and_never_unknown_classes(
    server: Running, rows: Dataset
) -> None:
    heat = rows.labelled(rows.windows[:, -1, 1])
    number = deploy(Ridge().fit(rows.x, heat.y), None, heat, name="warmth", by="Anna", url=server.url)
    assert number.label(heat) == len(rows)
    with pytest.raises(QuestionError, match="warmth says a number"):
        number.label(rows.labelled(["hot"] * len(rows)))
    usual = deploy(LedoitWolf().fit(rows.x), None, rows, name="unusual", by="Anna", url=server.url)
    assert usual.label(rows) == len(rows)
    assert {one.low for one in server.parts.registry.scores.truths("unusual", 0)} == {0.0, 1.0}
    sort = deploy(LogisticRegression().fit(rows.x, rows.y), None, rows, name="sort", by="Anna", url=server.url)
    with pytest.raises(QuestionError, match="'hot' is no class of sort"):
        sort.label(rows.labelled(["hot"] * len(rows)))


def test_its_truths_are_kept_by_the_place_of_their_class(server: Running, rows: Dataset) -> None:
    model = LogisticRegression().fit(rows.x, rows.y)
    found = deploy(model, None, rows, name="labelled", by="Anna", url=server.url)
    assert found.label(rows) == len(rows)
    kept = server.parts.registry.scores.truths("labelled", 0)
    told = {(one.asset, one.start): one.low for one in kept}
    assert told == {(a, t): float(y) for a, t, y in zip(rows.asset, rows.time.tolist(), rows.y, strict=True)}
    assert {one.asset for one in kept} <= set(ASSETS)


def test_what_the_server_refuses_is_its_sentence(server: Running, rows: Dataset) -> None:
    model = Ridge().fit(rows.x, rows.windows[:, -1, 1])
    truth = rows.labelled(rows.windows[:, -1, 1])
    with pytest.raises(QuestionError, match="No asset of this plant lies in the scope delta/none"):
        deploy(model, None, truth, name="heat", by="Anna", scope="delta/none", url=server.url)
    with pytest.raises(QuestionError, match="no person"):
        deploy(model, None, truth, name="heat", by="system", url=server.url)
    with pytest.raises(QuestionError, match="Nobody says who deploys"):
        deploy(model, None, truth, name="heat", by=" ", url=server.url)
    found = deploy(model, None, truth, name="heat", by="Anna", url=server.url)
    with pytest.raises(QuestionError, match="no person"):
        found.promote(by="system")
    assert found.promote(by="Anna") == "Version 1 of heat speaks on *, promoted by Anna."
    better = deploy(model, None, truth, name="heat", by="Anna", url=server.url, text="the same again")
    with pytest.raises(QuestionError, match="0 labelled windows of 200 that are needed"):
        better.promote(by="Anna")
    classes = LogisticRegression().fit(rows.x, rows.y)
    with pytest.raises(QuestionError, match="give it another name"):
        deploy(classes, None, rows, name="heat", by="Anna", url=server.url)
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port = bound.getsockname()[1]
    with pytest.raises(StoreError, match="No server answers at"):
        deploy(model, None, truth, name="heat", by="Anna", url=f"http://127.0.0.1:{port}")
