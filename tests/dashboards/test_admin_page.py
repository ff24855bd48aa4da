"""Signing in and the page of admins, in Chromium against a real server that listens for the network."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from complete import complete
from looking import settle
from playwright.sync_api import Browser, expect

sys.path.insert(0, str(Path(__file__).parents[1] / "services"))

from running_server import Running, running

pytestmark = pytest.mark.browser
PHRASE = "correct horse battery"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path, host="0.0.0.0") as server:
        yield server


def test_from_the_set_up_code_to_a_disabled_account(server: Running, chromium: Browser) -> None:
    said: list[str] = []
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce", locale="en")
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.on("console", lambda m: said.append(m.text) if m.type in {"error", "warning"} else None)
    page.on("pageerror", lambda e: said.append(str(e)))
    code = server.parts.doors.setup.code()
    page.goto(server.url + "/admin")
    page.get_by_label("Set-up code").fill("AAAA-AAAA-AAAA-AAAA")
    page.locator("#first").fill("anna")
    page.locator("#phrase").fill(PHRASE)
    page.get_by_role("button", name="Make the first admin").click()
    expect(page.get_by_role("alert")).to_contain_text("not the code")
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_role("button", name="创建第一个管理员")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("设置码不正确")
    complete(page, "sign-in-first", wall=False, paper=False)
    page.get_by_label("Set-up code").fill(code)
    page.get_by_role("button", name="Make the first admin").click()

    page.get_by_role("link", name="Admin", exact=True).click()
    page.get_by_role("button", name="Add an account").click()
    page.get_by_label("Name").fill("olga")
    page.get_by_label("Password, at least").fill("olga-olga-olga")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("holds the name")
    page.get_by_label("Password, at least").fill(PHRASE)
    page.get_by_role("button", name="Save").click()
    page.get_by_label("Role of olga").select_option("engineer")
    expect(page.get_by_label("Role of olga")).to_have_value("engineer")
    page.get_by_label("Role of anna").select_option("viewer")
    expect(page.get_by_role("alert")).to_contain_text("only admin")
    expect(page.get_by_label("Role of anna")).to_have_value("admin")
    complete(page, "admin-accounts", wall=False)
    page.get_by_role("button", name="Disable").last.click()
    expect(page.get_by_text("disabled", exact=True)).to_be_visible()
    for tab, name in (("Sessions", "admin-sessions"), ("Tokens", "admin-tokens"), ("Audit", "admin-audit")):
        page.get_by_role("button", name=tab, exact=True).click()
        settle(page, 0.3)
        complete(page, name, wall=False)
    expect(page.get_by_text("The audit is whole")).to_be_visible()
    page.get_by_role("button", name="中文").click()
    page.keyboard.press("d")
    expect(page.get_by_text("审计完整")).to_be_visible()
    page.get_by_role("button", name="退出").click()
    expect(page.get_by_role("button", name="登录", exact=True).first).to_be_visible()
    complete(page, "sign-in", wall=False, paper=False)
    context.close()
    assert [line for line in said if "status of 4" not in line and "WebSocket" not in line] == []
