"""One whole sign-in at a real OpenID provider, in Chromium, on another site than the server; and the way out."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from brokers import free_port
from front_end import modules
from looking import SHOTS, settle, violations
from openid_provider import SECRET, openid_provider
from playwright.sync_api import Browser, Page, Response, Route, expect

sys.path.insert(0, str(Path(__file__).parents[1] / "services"))

from running_server import PLANT, plant, running, until
from shopfloor.services.security.rights import Role

pytestmark = [pytest.mark.browser, pytest.mark.foreign]


def accessible(page: Page, name: str) -> None:
    page.evaluate((modules() / "axe-core/axe.min.js").read_text("utf-8"))
    settle(page, 0.2)
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png")
    assert violations(page) == [], name


def at_the_provider(page: Page, name: str) -> None:
    """Type a name there, and allow what is asked."""
    page.locator("[name=login]").fill(name)
    page.locator("[name=password]").fill("any")
    page.locator("button[type=submit]").click()
    page.get_by_role("button", name="Continue").click()


ASK_ONCE_SIGNED_OUT = """
const timer = setInterval(() => {
  if (document.cookie.includes("shopfloor_csrf")) return;
  clearInterval(timer);
  document.querySelector('a[href="/production"]').click();
}, 50)
"""


def sign_out_with_a_refused_question_on_the_way(page: Page) -> None:
    """The provider is slow, and the page, which stands until it answers, asks for something without a session."""
    held: list[Route] = []
    refused: list[Response] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(re.compile(r"/session/end\?"), hold)
    page.on("response", lambda answer: answer.status == 401 and "/api/" in answer.url and refused.append(answer))
    page.get_by_role("link", name="Production").click()  # what this page is made of is here then
    expect(page.get_by_role("heading", name="Production")).to_be_visible()
    page.get_by_role("link", name="Models").click()
    page.evaluate(ASK_ONCE_SIGNED_OUT)
    page.get_by_role("button", name="dora · Sign out").click(no_wait_after=True)
    until(lambda: page.wait_for_timeout(300) or (held and refused))
    page.wait_for_timeout(300)
    held[0].continue_()
    page.get_by_role("button", name="Yes, sign me out").click()


def test_a_whole_sign_in_at_a_real_provider(tmp_path: Path, chromium: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    monkeypatch.setenv("OF_THE_TEST", SECRET)
    section = f"""
accounts:
  oidc: {{issuer: "http://127.0.0.1:{port}", client_id: shopfloor, client_secret_env: OF_THE_TEST, label: Delta ID,
          scopes: [openid, profile, groups], roles: {{lab: data-scientist}}}}
"""
    with running(tmp_path, plant(PLANT + section)) as server:
        server.parts.doors.accounts.create("anna", "correct horse battery", Role.ADMIN)
        here = server.url.replace("127.0.0.1", "localhost")
        page = chromium.new_context(viewport={"width": 834, "height": 1112}, locale="en").new_page()
        page.set_default_timeout(20_000)
        page.goto(f"{here}/models")
        page.get_by_role("button", name="Sign in with Delta ID").click()
        expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
        page.get_by_role("button", name="中文").click()
        expect(page.get_by_role("alert")).to_contain_text("无法连接身份提供方")
        accessible(page, "sign-in-oidc")
        page.get_by_role("button", name="English").click()
        with openid_provider(port, here):
            page.get_by_role("button", name="Sign in with Delta ID").click()
            at_the_provider(page, "carl")
            expect(page.get_by_role("alert")).to_contain_text("carl has no role in this plant")
            assert page.url == f"{here}/login"
            page.context.clear_cookies(domain="127.0.0.1")
            page.goto(f"{here}/models")
            page.get_by_role("button", name="Sign in with Delta ID").click()
            at_the_provider(page, "dora")
            page.wait_for_url(f"{here}/models")
            expect(page.get_by_role("button", name="dora · Sign out")).to_be_visible()
            cookies = {cookie["name"]: cookie for cookie in page.context.cookies(here)}
            assert (cookies["shopfloor_session"]["sameSite"], cookies["shopfloor_session"]["httpOnly"]) == (
                "Strict",
                True,
            )
            sign_out_with_a_refused_question_on_the_way(page)
            page.wait_for_url(f"{here}/login")
            expect(page.get_by_role("button", name="Sign in with Delta ID")).to_be_visible()
            assert page.request.get(f"{here}/api/v1/me").status == 401
        page.context.close()
