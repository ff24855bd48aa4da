"""Signing in at an identity provider: each token that proves nothing, answers of other sign-ins, and whole ones."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from running_server import PLANT, Running, plant, running
from shopfloor.plant.config import OidcSection
from shopfloor.services.security.database import Database
from shopfloor.services.security.doors import ALONE, open_doors
from shopfloor.services.security.oidc import Attempts, NotVouched, Provider, ProviderAway
from shopfloor.services.security.oidc.keys import PAUSE_S, Keys
from shopfloor.services.security.oidc.metadata import checked
from shopfloor.services.security.oidc.proof import Expected, claims
from shopfloor.services.security.passwords import Cost
from shopfloor.services.security.rights import Role
from signing_issuer import CLIENT, EC, RSA, SECRET, SHORT, Issuer, issuing, shown, signed

PHRASE = "correct horse battery"
ISSUER = "https://id.example"
KEYS = [shown(RSA[0], "one"), shown(EC, "curve"), shown(RSA[1], "sealing", use="enc"), shown(SHORT, "short"),
        shown(RSA[1], "only-ps", alg="PS256")]  # fmt: skip


LONG = 86_400
"""Tokens are signed when the tests are collected, and judged a good deal later."""


def said(**more: Any) -> dict[str, Any]:
    now = int(time.time())
    whole = {"iss": ISSUER, "aud": CLIENT, "sub": "42", "iat": now, "exp": now + LONG, "nonce": "n", **more}
    return {key: value for key, value in whole.items() if value is not None}


def judged(token: str) -> dict[str, Any]:
    found = Keys(lambda: KEYS)
    return claims(token, found.find, Expected(ISSUER, CLIENT, "n"), "access")


@pytest.mark.parametrize(
    "token",
    [
        signed(said()),
        signed(said(), RSA[0], "PS256"),
        signed(said(), EC, "ES256", "curve"),
        signed(said(), EC, "ES256", None),
        signed(said(aud=[CLIENT, "another"], azp=CLIENT)),
        signed(said(azp=CLIENT, at_hash="oFYf1knNtrqnhAVfBRuteQ")),
    ],
)
def test_a_token_that_proves_somebody(token: str) -> None:
    assert judged(token)["sub"] == "42"


def test_clocks_may_differ_by_half_a_minute() -> None:
    assert judged(signed(said(exp=int(time.time()) - 30)))["sub"] == "42"


def _tampered(token: str) -> str:
    head, _, signature = token.split(".")
    other = signed(said(sub="1")).split(".")[1]
    return f"{head}.{other}.{signature}"


def _unsigned(token: str) -> str:
    return jwt.encode(said(), None, "none") if token else ""


NOW = int(time.time())
PUBLIC = RSA[0].public_key().public_numbers().n.to_bytes(256, "big")


@pytest.mark.parametrize(
    ("token", "word"),
    [
        ("", "not valid"),
        ("a.b.c", "not valid"),
        ("é" * 10, "not valid"),
        ("x" * 200_000, "too long"),
        (_unsigned("x"), "'none'"),
        (signed(said(), PUBLIC, "HS256"), "'HS256'"),
        (signed(said(), RSA[0], "RS384"), "'RS384'"),
        (_tampered(signed(said())), "Signature"),
        (signed(said(), RSA[1]), "Signature"),
        (signed(said(), RSA[1], kid="two"), "does not show"),
        (signed(said(), RSA[1], kid="sealing"), "does not show"),
        (signed(said(), RSA[1], kid="only-ps"), "does not show"),
        (signed(said(), RSA[0], kid="curve"), "does not show"),
        (signed(said(), RSA[0], kid=None), "does not show"),
        (signed(said(), SHORT, kid="short"), "1024 bits"),
        (signed(said(iss="https://id.example.evil")), "issuer"),
        (signed(said(iss=ISSUER + "/")), "issuer"),
        (signed(said(aud="another")), "Audience"),
        (signed(said(aud=[CLIENT, "another"])), "azp"),
        (signed(said(aud=[CLIENT, "another"], azp="another")), "azp"),
        (signed(said(azp="another")), "azp"),
        (signed(said(exp=NOW - 90)), "expired"),
        (signed(said(iat=NOW + LONG)), "iat"),
        (signed(said(nbf=NOW + LONG)), "nbf"),
        (signed(said(nonce="another")), "nonce"),
        (signed(said(nonce=None)), "nonce"),
        (signed(said(at_hash="of another")), "at_hash"),
        (signed(said(sub=None)), "sub"),
        (signed(said(sub="")), "sub"),
        (signed(said(exp=None)), "exp"),
        (signed(said(iat=None)), "iat"),
        (signed(said(aud=None)), "aud"),
        (signed(said(iss=None)), "iss"),
    ],
)
def test_a_token_that_proves_nobody(token: str, word: str) -> None:
    with pytest.raises(NotVouched, match=word):
        judged(token)


def test_a_new_key_is_asked_for_and_forged_ones_do_not_make_us_ask_without_end() -> None:
    now, asked, keys = [0.0], [], [KEYS[:1]]

    def ask() -> list[Any]:
        asked.append(now[0])
        return keys[0]

    known = Keys(ask, lambda: now[0])
    assert [len(known.find(kid)) for kid in ("one", "two", "three", "one")] == [1, 0, 0, 1]
    assert asked == [0.0]
    keys[0] = [shown(RSA[1], "two")]
    now[0] = PAUSE_S + 1
    assert [len(known.find(kid)) for kid in ("one", "two")] == [1, 1]
    assert asked == [0.0, PAUSE_S + 1]
    assert known.find("one") == []  # the key that was taken away counts no more


def test_an_attempt_is_of_one_browser_once_and_ten_minutes() -> None:
    now = [0.0]
    attempts = Attempts(lambda: now[0])
    cookie, attempt = attempts.begin("https://plant.example/login")
    other, _ = attempts.begin("https://plant.example/login")
    assert attempts.take(other, attempt.state) is None
    assert attempts.take(cookie, "another state") is None
    assert attempts.take(cookie, attempt.state) is None  # over with the first answer, whatever that was
    cookie, attempt = attempts.begin("")
    assert attempts.take(cookie, attempt.state) is attempt
    assert attempts.take(cookie, attempt.state) is None
    cookie, attempt = attempts.begin("")
    now[0] = 601
    assert attempts.take(cookie, attempt.state) is None


GOOD = {
    "issuer": ISSUER,
    **{key: f"{ISSUER}/{key}" for key in ("authorization_endpoint", "token_endpoint", "jwks_uri")},
}


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"issuer": ISSUER + "/"}, "names itself"),
        ({"issuer": None}, "names itself"),
        ({"token_endpoint": "http://id.example/token"}, "token_endpoint"),
        ({"jwks_uri": "http://127.0.0.1/keys"}, "jwks_uri"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "authorization_endpoint"),
        ({"code_challenge_methods_supported": ["plain"]}, "S256"),
        ({"id_token_signing_alg_values_supported": ["HS256", "none"]}, "signs by none"),
    ],
)
def test_a_provider_that_offers_only_what_is_weaker(more: dict[str, Any], word: str) -> None:
    assert checked(ISSUER, GOOD | {"end_session_endpoint": "http://id.example/out"}).end_session == ""
    with pytest.raises(ProviderAway, match=word):
        checked(ISSUER, GOOD | more)


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with issuing() as issuer:
        yield issuer


@pytest.fixture(autouse=True)
def _as_it_was(request: pytest.FixtureRequest) -> None:
    if "issuer" in request.fixturenames:
        issuer, fresh = request.getfixturevalue("issuer"), Issuer()
        for name in ("claims", "people", "keys", "token"):
            setattr(issuer, name, getattr(fresh, name))
        issuer.offers = {"end_session_endpoint": f"{issuer.url}/out", "userinfo_endpoint": f"{issuer.url}/people"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, issuer: Issuer) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("oidc")
    (folder / "client").write_text(SECRET + "\n")
    section = f"""
accounts:
  oidc: {{issuer: "{issuer.url}", client_id: {CLIENT}, client_secret_file: "{folder / "client"}", label: Delta ID,
          roles: {{plant-admins: admin, masters: engineer, lab: data-scientist}}}}
"""
    with running(folder / "data", plant(PLANT + section)) as server:
        server.parts.doors.accounts._cost = Cost(n=16, r=1, p=1)
        server.parts.doors.accounts.create("anna", PHRASE, Role.ADMIN)
        yield server


@contextmanager
def browser_of(server: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{server.url}/api/v1", trust_env=False, timeout=10) as browser:
        yield browser


def come_back(browser: httpx.Client, issuer: Issuer, **more: str) -> httpx.Response:
    brought = issuer.sign_in(browser.get("/login/oidc").json()["url"])
    answer = browser.post("/login/oidc", json={**brought, **more})
    browser.headers["X-CSRF-Token"] = browser.cookies.get("shopfloor_csrf", "")
    return answer


def audit(server: Running, **wanted: str) -> list[dict[str, Any]]:
    with browser_of(server) as anna:
        assert anna.post("/login", json={"name": "anna", "password": PHRASE}).is_success
        found: list[dict[str, Any]] = anna.get("/audit", params={"path": "login/oidc", **wanted}).json()
        return found


def test_a_whole_sign_in_a_role_that_changes_and_the_way_out(server: Running, issuer: Issuer) -> None:
    with browser_of(server) as dora, browser_of(server) as anna:
        assert dora.get("/login").json() == {"setup": False, "accounts": True, "oidc": "Delta ID"}
        assert come_back(dora, issuer).json() == {"name": "dora"}
        assert {key: dora.get("/me").json()[key] for key in ("name", "role", "way")} == {
            "name": "dora", "role": "data-scientist", "way": "oidc",
        }  # fmt: skip
        issuer.claims = issuer.claims | {"groups": ["cooks", "masters", "lab"], "preferred_username": "dora.new"}
        with browser_of(server) as elsewhere:
            assert come_back(elsewhere, issuer).json() == {"name": "dora"}
        assert dora.get("/me").json()["role"] == "engineer"
        newest = audit(server)[0]
        assert (newest["who"], newest["way"], newest["before"]["role"], newest["after"]["role"]) == (
            "dora", "oidc", "data-scientist", "engineer",
        )  # fmt: skip
        anna.post("/login", json={"name": "anna", "password": PHRASE})
        anna.headers["X-CSRF-Token"] = anna.cookies["shopfloor_csrf"]
        assert {account["name"]: account["way"] for account in anna.get("/accounts").json()}["dora"] == "oidc"
        for change, body in (("role", {"role": "viewer"}), ("password", {"password": "some other words"})):
            assert "identity provider" in anna.post(f"/accounts/dora/{change}", json=body).json()["detail"]
        out = dora.post("/logout", json={})
        assert out.json()["url"].startswith(f"{issuer.url}/out?client_id=shopfloor&post_logout_redirect_uri=http%3A")
        assert dora.get("/me").status_code == 401
        assert come_back(dora, issuer).is_success
        assert anna.post("/accounts/dora/disable", json={"disabled": True}).json()["disabled"]
        assert dora.get("/me").status_code == 401
        refused = come_back(dora, issuer)
        assert (refused.status_code, refused.json()["detail"]) == (
            403, "The account dora is disabled here: an admin enables it.",
        )  # fmt: skip
        assert anna.post("/accounts/dora/disable", json={"disabled": False}).is_success


@pytest.mark.parametrize(
    ("claims_", "status", "sentence"),
    [
        ({"sub": "1", "preferred_username": "carl", "groups": ["cooks"]}, 403,
         "carl has no role in this plant: ask for one of the groups that have one, then sign in again."),
        ({"sub": "1", "preferred_username": "carl", "groups": None}, 403, "carl has no role in this plant"),
        ({"sub": "2", "preferred_username": "Anna", "groups": "plant-admins"}, 403, "belongs to another account"),
        ({"sub": "3", "preferred_username": "local", "groups": "plant-admins"}, 401, "is no name"),
        ({"sub": "4", "preferred_username": "a/b (anna)", "groups": "plant-admins"}, 401, "is no name"),
        ({"sub": "5", "groups": "plant-admins"}, 401, "says no 'preferred_username'"),
    ],
)  # fmt: skip
def test_who_has_no_business_here_gets_a_sentence_and_no_session(
    server: Running, issuer: Issuer, claims_: dict[str, Any], status: int, sentence: str
) -> None:
    issuer.claims = {key: value for key, value in claims_.items() if value is not None}
    with browser_of(server) as browser:
        refused = come_back(browser, issuer)
        assert refused.status_code == status
        assert sentence in refused.json()["detail"]
        assert "shopfloor_session" not in browser.cookies
        assert browser.get("/me").status_code == 401


def test_an_answer_that_belongs_to_another_sign_in(server: Running, issuer: Issuer) -> None:
    with browser_of(server) as mine, browser_of(server) as other:
        brought = issuer.sign_in(mine.get("/login/oidc").json()["url"])
        other.get("/login/oidc")
        for body in (brought, {**brought, "state": "x"}):
            stolen = other.post("/login/oidc", json=body)
            assert (stolen.status_code, "begin again" in stolen.json()["detail"]) == (401, True)
        assert mine.post("/login/oidc", json=brought).is_success
        assert mine.post("/login/oidc", json=brought).status_code in {401, 403}  # replayed
        assert come_back(mine, issuer, code="another").status_code == 401
        assert come_back(mine, issuer, iss="https://evil.example").status_code == 401
        denied = come_back(mine, issuer, code="", error="access_denied")
        assert denied.json()["detail"] == (
            "Signing in with Delta ID ended there (access_denied): begin again, or use an account of this server."
        )
        foreign = mine.post("/login/oidc", json=brought, headers={"Origin": "https://evil.example"})
        assert foreign.status_code == 403


FORGED: dict[str, Callable[[Issuer, str], str]] = {
    "nonce": lambda issuer, _: signed(issuer.said("of yesterday")),
    "Signature": lambda issuer, nonce: signed(issuer.said(nonce), RSA[1]),
    "expired": lambda issuer, nonce: signed(issuer.said(nonce, exp=NOW - 600)),
    "Audience": lambda issuer, nonce: signed(issuer.said(nonce, aud="another")),
    "none": lambda issuer, nonce: jwt.encode(issuer.said(nonce), None, "none"),
}


@pytest.mark.parametrize("word", FORGED)
def test_a_forged_token_begins_no_session_and_is_in_the_audit(server: Running, issuer: Issuer, word: str) -> None:
    issuer.token = lambda nonce: FORGED[word](issuer, nonce)
    with browser_of(server) as browser:
        refused = come_back(browser, issuer)
        assert refused.status_code == 401
        assert word in refused.json()["detail"]
        assert "shopfloor_session" not in browser.cookies
    assert [entry["status"] for entry in audit(server)][:1] == [401]


def test_the_list_of_people_completes_the_token_and_speaks_of_the_same_person(server: Running, issuer: Issuer) -> None:
    issuer.claims = {"sub": "77"}
    issuer.people = {"sub": "77", "preferred_username": "emil", "groups": ["masters"]}
    with browser_of(server) as emil:
        assert come_back(emil, issuer).json() == {"name": "emil"}
        issuer.people = issuer.people | {"sub": "78"}
        assert "another person" in come_back(emil, issuer).json()["detail"]


def test_a_provider_that_is_away_or_refuses_us_leaves_local_accounts(
    server: Running, issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    secret = server.folder.parent / "client"
    secret.write_text("another")
    with browser_of(server) as browser:
        refused = come_back(browser, issuer)
        assert (refused.status_code, "invalid_client" in refused.json()["detail"]) == (503, True)
        secret.unlink()
        assert "cannot be read" in come_back(browser, issuer).json()["detail"]
        secret.write_text(SECRET)
        assert browser.post("/login", json={"name": "anna", "password": PHRASE}).is_success
    assert "another" not in caplog.text
    assert SECRET not in caplog.text + str(audit(server))


def section(url: str, **more: Any) -> OidcSection:
    return OidcSection(issuer=url, client_id=CLIENT, default_role="viewer", **more)


@pytest.mark.parametrize("how", ["away", "another-issuer", "no-tls-trust", "no-secret"])
def test_why_nobody_can_sign_in_there(issuer: Issuer, how: str) -> None:
    attempt = Attempts().begin("http://localhost/login")[1]
    with pytest.raises(ProviderAway) as caught:  # noqa: PT012 (each way needs its own steps)
        match how:
            case "away":
                Provider(section("http://127.0.0.1:9")).address(attempt)
            case "another-issuer":
                issuer.offers["issuer"] = "https://id.example"
                Provider(section(issuer.url)).address(attempt)
            case "no-tls-trust":
                Provider(section("https://127.0.0.1:9", ca_file="none.pem")).address(attempt)
            case _:
                provider = Provider(section(issuer.url, client_secret_env="NOT_SET"), {})
                issuer.sign_in(provider.address(attempt))
                provider.vouch(attempt, "a code")
    assert str(caught.value).endswith(".")


def test_a_data_folder_of_before_is_brought_up_to_date_and_people_of_no_provider_are_signed_out(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    with closing(sqlite3.connect(tmp_path / "secrets" / "accounts.sqlite")) as db:
        db.execute("CREATE TABLE account (name TEXT PRIMARY KEY, role TEXT NOT NULL, hash TEXT NOT NULL,"
                   " created REAL NOT NULL, disabled INTEGER NOT NULL DEFAULT 0, seen REAL)")  # fmt: skip
        db.execute("INSERT INTO account (name, role, hash, created) VALUES ('anna', 'admin', 'scrypt$', 1)")
        db.commit()
    limits = ALONE.model_copy(update={"oidc": section("http://127.0.0.1:9"), "session": 7200.0, "idle": 600.0})
    with open_doors(tmp_path, open_on_loopback=False, limits=limits) as doors:
        assert (doors.accounts.get("anna").way, doors.sessions.life_s, doors.sessions.idle_s) == ("account", 7200, 600)
        assert doors.accounts.vouch("issuer 1", "ben", Role.OPERATOR).way == "oidc"
        cookie = doors.sessions.begin("ben", "oidc")
        assert doors.sessions.find(cookie)
    with open_doors(tmp_path, open_on_loopback=False) as doors:
        assert doors.sessions.find(cookie) is None
        assert not doors.accounts.knows("ben", "")
    assert Database(tmp_path).ask("SELECT count(*) FROM account") == [(2,)]
