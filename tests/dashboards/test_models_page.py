"""The models page: every step of a version's life has a button, a replay is begun, watched, ended and read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from front_end import modules
from looking import SHOTS, screen, sideways, violations
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser


def model(page: Page, name: str) -> Locator:
    return page.get_by_test_id("model").filter(has_text=name)


def sign(page: Page, button: str, why: str) -> None:
    """Fill in the dialog that is open and confirm it."""
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Your name").fill("Anna")
    dialog.get_by_label("Why").fill(why)
    dialog.get_by_role("button", name=button).click()


def sent(mock_plant: Any, step: str) -> dict[str, Any]:
    return dict(json.loads(mock_plant.asked(f"{step} ")[-1].removeprefix(f"{step} ")))


def test_a_model_is_promoted_and_rolled_back_by_a_named_person(open_page: Any, mock_plant: Any) -> None:
    page = open_page("/models")
    life = model(page, "tool-life")
    expect(life).to_contain_text("Version 2 speaks")
    expect(life).to_contain_text("Version 3 is proposed")
    expect(life.locator(".fails")).to_contain_text("✕ a loss −0.12 beside version 2's")
    life.get_by_role("button", name="Promote").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_test_id("replayed")).to_contain_text("38 missed")
    sign(page, "Promote", "")
    expect(dialog.get_by_role("alert")).to_contain_text("is not promoted on")
    dialog.get_by_role("checkbox").check()
    sign(page, "Promote", "a new sensor")
    expect(dialog).to_have_count(0)
    assert sent(mock_plant, "promote tool-life") == {
        "by": "Anna", "number": 3, "override": True, "scope": "*", "why": "a new sensor",
    }  # fmt: skip
    life.get_by_text("What happened before").click()
    expect(life).to_contain_text("better on both shifts")
    life.get_by_role("button", name="Roll back").click()
    sign(page, "Roll back", "worse")
    expect(dialog).to_have_count(0)
    assert sent(mock_plant, "rollback tool-life") == {"by": "Anna", "scope": "*", "why": "worse"}


def test_a_version_that_is_compared_shows_its_newest_scores_beside_the_champions(open_page: Any) -> None:
    page = open_page("/models")
    scores = model(page, "tool-life").get_by_test_id("shadow-scores")
    rows = scores.get_by_role("row")
    expect(rows).to_have_count(3)
    expect(rows.nth(1)).to_contain_text("24.25")
    expect(rows.nth(1)).to_contain_text("19.25 to 29.25")
    expect(rows.nth(2)).to_contain_text("27")
    expect(model(page, "tool-life")).to_contain_text("no value of oil.flow yet")


def test_every_other_step_has_a_button(open_page: Any, mock_plant: Any) -> None:
    page = open_page("/models")
    spreading, proposed = model(page, "anode-effect"), model(page, "tool-life")
    expect(spreading).to_contain_text("wave 2 of 4")
    waves = spreading.get_by_role("list", name="Waves").get_by_role("listitem")
    expect(waves.nth(0)).to_contain_text("one line: potline")
    expect(waves.nth(1)).to_have_attribute("aria-current", "step")
    person = {"by": "Anna", "scope": "*", "why": "a trial"}
    for card, button, step, more in (
        (spreading, "Next wave", "wave anode-effect", {}),
        (proposed, "Retire", "retire tool-life", {"number": 3}),
        (proposed, "Compare in the background", "shadow tool-life", {"number": 4}),
    ):
        card.get_by_role("button", name=button).click()
        sign(page, button, "a trial")
        expect(page.get_by_role("dialog")).to_have_count(0)
        assert sent(mock_plant, step) == person | more
    proposed.get_by_role("button", name="Roll out in waves").click()
    sign(page, "Roll out in waves", "a trial")
    page.get_by_role("dialog").get_by_role("checkbox").check()
    sign(page, "Roll out in waves", "a trial")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert sent(mock_plant, "rollout tool-life") == person | {"number": 3, "override": True}


def test_a_replay_is_begun_watched_cancelled_and_read(open_page: Any, mock_plant: Any) -> None:
    mock_plant.switch(hold=True)
    page = open_page("/models")
    life = model(page, "tool-life")
    life.get_by_text("Replay over the past").click()
    life.get_by_label("Time").select_option("month")
    life.get_by_role("button", name="Start").click()
    going = life.get_by_test_id("replaying")
    expect(going).to_contain_text("42 %")
    asked = sent(mock_plant, "replay tool-life")
    assert (asked["number"], asked["scope"]) == (3, "*")
    assert asked["end"] - asked["start"] == 30 * 86_400_000
    page.reload()
    model(page, "tool-life").get_by_text("Replay over the past").click()
    expect(going).to_contain_text("42 %")
    life.get_by_role("button", name="Cancel").click()
    expect(going).to_contain_text("cancelled")
    mock_plant.switch(hold=False)
    life.get_by_role("button", name="Start").click()
    expect(going).to_have_count(0)
    result = life.get_by_test_id("replayed")
    for text in ("412 alarmed", "79 missed", "61 false", "18.6", "111 of 118", "14 min", "2.61", "89.3 %", "4.7 s"):
        expect(result).to_contain_text(text)
    page.reload()
    model(page, "tool-life").get_by_text("Replay over the past").click()
    expect(result).to_contain_text("111 of 118")


def test_drift_is_drawn_with_its_guide_values(open_page: Any) -> None:
    page = open_page("/models")
    life = model(page, "tool-life")
    life.get_by_text("Drift:").click()
    drift = life.get_by_test_id("drift")
    expect(drift).to_contain_text("2 of 12 features look much different from training, the mean of 1 has moved.")
    expect(drift).to_contain_text("89.3 % of 1204 truths inside, 90 % promised. As promised.")
    expect(drift.locator("tbody tr.much")).to_have_count(2)
    expect(drift.locator("tbody tr")).to_have_count(10)
    drift.get_by_role("button", name="All 12 features").click()
    expect(drift.locator("tbody tr")).to_have_count(12)
    lengths = [bar.bounding_box()["width"] for bar in drift.locator(".bar").all()[:2]]  # type: ignore[index]
    assert lengths[0] / lengths[1] == pytest.approx(0.61 / 0.27, rel=0.02)


def test_the_page_with_everything_open_fits_and_is_accessible(open_page: Any) -> None:
    """Replay, drift and history open, in both themes and languages, at a desk and on a tablet."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    page = open_page("/models")
    life = model(page, "tool-life")
    expect(life.locator("summary")).to_have_count(3)
    for summary in life.locator("summary").all():
        summary.click()
    expect(life.get_by_test_id("replayed")).to_be_visible()
    expect(life.get_by_test_id("drift")).to_be_visible()
    page.evaluate((modules() / "axe-core/axe.min.js").read_text("utf-8"))
    for language, other in (("en", "中文"), ("zh", "English")):
        for theme in ("light", "dark"):
            assert violations(page) == [], (language, theme)
            assert sideways(page) <= 0, (language, theme)
            page.screenshot(path=SHOTS / f"models-open-{language}-{theme}.png", full_page=True)
            page.keyboard.press("d")
        page.get_by_role("button", name=other).click()
    screen(page, 834, 1112)
    assert sideways(page) <= 0
    page.screenshot(path=SHOTS / "models-open-tablet.png", full_page=True)
