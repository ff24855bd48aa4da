"""The doctor at an identity provider: reached, keys, clocks, secret; each in its own words."""

from __future__ import annotations

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from running_server import Running, plant, running, until
from shopfloor.services.cli import main
from shopfloor.services.security.oidc import watched
from signing_issuer import Issuer, issuing

PLANT = """
plant: {site: delta}
types: {machine: {tags: {load: {unit: "%"}}}}
assets: [{path: delta/a/b/c/d, type: machine}]
accounts:
  oidc: {issuer: "ISSUER", client_id: shopfloor, roles: {lab: engineer}, client_secret_file: SECRET}
"""


def other_name(issuer: Issuer) -> None:
    issuer.offers = {"issuer": "https://other.example"}


def no_keys(issuer: Issuer) -> None:
    issuer.keys = [{"kty": "oct", "kid": "one"}]


def away(issuer: Issuer) -> None:
    issuer.answer = lambda *_: (503, {})  # type: ignore[method-assign]


def nothing(_: Issuer) -> None:
    """All is well."""


@pytest.mark.parametrize(
    ("wrong", "date", "secret", "step", "said"),
    [
        (nothing, None, True, None, "that tokens may be signed with"),
        (other_name, None, True, "provider", "names itself 'https://other.example'."),
        (away, None, True, "provider", "answers 503 at /.well-known/openid-configuration."),
        (no_keys, None, True, "keys", "shows 1 key, and none for RS256, PS256, ES256."),
        (nothing, "Thu, 01 Jan 2026 00:00:00 GMT", True, "clock", "s behind this machine's, and tokens allow 60 s."),
        (nothing, None, False, "secret", "cannot be read from"),
    ],
)
def test_each_cause_in_one_sentence_with_the_next_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    wrong: Callable[[Issuer], None], date: str | None, secret: bool, step: str | None, said: str,
) -> None:  # fmt: skip
    if secret:
        (tmp_path / "secret").write_text("geheim-17")
    if date:
        monkeypatch.setattr(BaseHTTPRequestHandler, "date_time_string", lambda *_: date)
    with issuing() as issuer:
        wrong(issuer)
        file = tmp_path / "plant.yaml"
        file.write_text(PLANT.replace("ISSUER", issuer.url).replace("SECRET", str(tmp_path / "secret")))
        code = main(["doctor", "--config", str(file), "--sign-in", "--json"])
        found: list[dict[str, Any]] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [one["step"] for one in found] == ["provider", "keys", "clock", "secret"]
        assert [one["step"] for one in found if one["state"] == "failed"] == ([step] if step else [])
        assert code == (1 if step else 0)
        assert any(said in one["why"] for one in found), found
        assert all(one["fix"].endswith(".") for one in found if one["state"] == "failed")
        assert "geheim" not in str(found)
        assert main(["doctor", "--config", str(file), "--sign-in"]) == code
        shown = capsys.readouterr().out
        assert shown.startswith(issuer.url)
        assert (f"Fails at: {step}." if step else "The connection works.") in shown


def test_a_provider_that_is_not_there_and_a_plant_without_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "plant.yaml"
    file.write_text(PLANT.replace("ISSUER", "http://127.0.0.1:1").replace(", client_secret_file: SECRET", ""))
    assert main(["doctor", "--config", str(file), "--sign-in"]) == 1
    shown = capsys.readouterr().out
    assert "cannot be reached (ConnectError)." in shown
    assert "→ Look at network and 'issuer'; accounts of this server can still sign in." in shown
    assert "not reached: keys, clock, secret" in shown
    file.write_text(PLANT.split("accounts:", maxsplit=1)[0])
    assert main(["doctor", "--config", str(file), "--sign-in"]) == 2
    assert "give a --config that has it" in capsys.readouterr().err


def test_the_health_of_the_server_says_what_is_in_the_way_until_it_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched, "_SOON_S", 0.05)
    with issuing() as issuer:
        issuer.offers = {"issuer": "https://other.example"}
        text = PLANT.replace("ISSUER", issuer.url).replace(", client_secret_file: SECRET", "")
        with running(tmp_path, plant(text)) as server:
            said = until(lambda: detail(server))
            assert said.endswith("names itself 'https://other.example'. Write that name in the plant file.")
            issuer.offers = {}
            until(lambda: detail(server) == "")


def detail(server: Running) -> str:
    rows = server.parts.health.answer()["processes"]
    return next(str(row["detail"]) for row in rows if row["kind"] == "server")
