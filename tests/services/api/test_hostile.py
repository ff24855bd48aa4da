"""What a hostile or broken caller sends must neither stop the server nor fill its memory."""

from __future__ import annotations

import http.client
from collections.abc import Iterator

import pytest
from running_server import POWER, FakeBrain, Running, S, running, until
from shopfloor.plant import Sample
from shopfloor.services import clock

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("data"), brain=FakeBrain()) as running_server:
        yield running_server


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_a_gateway_that_posts_no_number_is_refused_and_harms_nobody(server: Running, number: str) -> None:
    server.post_health()
    for body in (f'"time": {number}', f'"sources": [{{"name": "s", "newest_time": {number}}}]'):
        answer = server.client.post(
            "/api/v1/gateways/edge-9/health",
            content=f'{{"name": "edge-9", {body}}}',
            headers=JSON | {"Authorization": f"Bearer {server.token}"},
        )
        assert answer.status_code == 422
        assert "finite number" in answer.json()["detail"]
    assert server.get("/health")["status"] == "ok"
    server.feed(Sample(POWER, clock.now() + S, 16.0))
    assert until(lambda: server.get("/alarms"))


def test_a_blank_name_acknowledges_nothing(server: Running) -> None:
    answer = server.client.post("/api/v1/alarms/1/acknowledge", json={"by": " \t"})
    assert answer.status_code == 422
    assert "'by'" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/api/v1/login", "/api/v1/alarms/1/acknowledge"])
def test_a_body_without_end_is_cut_off(server: Running, path: str) -> None:
    chunk = b'{"by": "' + b"x" * 1_000_000
    told = server.client.post(path, content=chunk * 3, headers=JSON)
    streamed = server.client.post(path, content=iter([chunk] * 3), headers=JSON)
    for answer in (told, streamed):
        assert answer.status_code == 413
        assert answer.json()["detail"] == "The body is larger than 2 MB: send less at once, see /docs."


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        (b"{", 422, "The body is no JSON at byte 1: see /docs for what is expected."),
        (b"{\xff\x80}", 400, "The body of POST /api/v1/login cannot be read: send JSON as UTF-8, as /docs says."),
        (b"[" * 100_000, 400, "The body of POST /api/v1/login cannot be read: send JSON as UTF-8, as /docs says."),
    ],
)
def test_a_body_that_is_no_json_is_one_sentence(server: Running, body: bytes, status: int, sentence: str) -> None:
    answer = server.client.post("/api/v1/login", content=body, headers=JSON)
    assert (answer.status_code, answer.json()["detail"]) == (status, sentence)


@pytest.mark.parametrize("path", ["/%00", "/assets/%00", "/" + "a" * 9_000, "/" + "a/" * 3_000, "/web/%00", "/..%2f.."])
def test_a_path_that_no_file_can_have_is_no_failure(server: Running, path: str) -> None:
    link = http.client.HTTPConnection("127.0.0.1", server.client.base_url.port or 0, timeout=10)
    link.request("GET", path)
    assert link.getresponse().status in {200, 404, 503}
    link.close()


def test_head_of_the_api_is_no_page(server: Running) -> None:
    assert server.client.head("/api/v1/health").status_code == 405
    assert server.client.head("/api/v1/nothing").status_code == 405


def test_the_documentation_names_every_answer(server: Running) -> None:
    paths = server.client.get("/openapi.json").json()["paths"]
    for path, operations in paths.items():
        for method, operation in operations.items():
            assert operation["summary"], path
            assert operation["description"], path
            assert all(answer["description"] for answer in operation["responses"].values()), path
            assert (method == "post") == ("413" in operation["responses"]), path
