"""Whether a page is complete: it fits, it is read at three metres, by keys, on paper, in both themes and languages."""

from __future__ import annotations

import re
from typing import Any

from contrast import pale
from front_end import modules
from looking import COLOURS, SHOTS, WORDS, fits, screen, settle, sideways, violations
from playwright.sync_api import Page, expect

AXE = (modules() / "axe-core/axe.min.js").read_text("utf-8")
WALL = {"en": "Wall", "zh": "大屏"}


def complete(page: Page, name: str, *, wall: bool = True, paper: bool = True) -> None:
    """Look at an open page (desk, light, English) in every respect; a dialog has no wall, a sign-in no paper either."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    fits(page, name, "desk")
    by_themes_and_languages(page)
    if paper:
        on_paper(page)
    if wall:
        on_a_wall(page, name)
    screen(page, 3840, 2160)
    if wall:
        read_from_afar(page, 2.0)
        page.keyboard.press("w")
        settle(page, 0.15)
    assert sideways(page) <= 0, "3840x2160"
    screen(page, 834, 1112)
    fits(page, name, "tablet")
    screen(page, 1920, 1080)


def by_themes_and_languages(page: Page) -> None:
    """Axe and our own look at contrast; then again what a theme changes, and what a language does."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    themed(page, "light")
    assert violations(page) + pale(page) == []
    themed(page, "dark")
    assert violations(page, COLOURS) + pale(page) == []
    themed(page, "light")
    said(page, "zh")
    assert violations(page, WORDS) == []
    said(page, "en")


def themed(page: Page, wanted: str) -> None:
    """By the attribute of the pages, and by what the browser says it prefers: the sign-in knows that alone."""
    page.emulate_media(color_scheme="dark" if wanted == "dark" else "light")
    page.evaluate("theme => document.documentElement.dataset.theme = theme", wanted)


def said(page: Page, language: str) -> None:
    """The button stands in the bar, which an open dialog covers: it is pressed all the same."""
    if not str(page.locator("html").get_attribute("lang")).startswith(language):
        page.evaluate("lang => document.querySelector(`button[lang|=${lang}]`)?.click()", language)
        expect(page.locator("html")).to_have_attribute("lang", re.compile(f"^{language}"))


def on_a_wall(page: Page, name: str) -> None:
    page.keyboard.press("w")
    settle(page, 0.3)
    fits(page, name, "wall")
    read_from_afar(page, 1.0)


def read_from_afar(page: Page, scale: float) -> None:
    """Key values are large enough, on a larger screen in proportion; nothing scrolls and no tile or row is cut."""
    found = page.evaluate(
        """() => {
          const box = document.querySelector('main').getBoundingClientRect();
          const shown = e => e.getClientRects().length;
          const keys = [...document.querySelectorAll('main [data-key]')].filter(shown);
          return {
            keys: Math.min(...keys.map(e => parseFloat(getComputedStyle(e).fontSize)), Infinity),
            scrolls: document.documentElement.scrollHeight > innerHeight,
            cut: [...document.querySelectorAll('[data-testid=tile]')].filter(e => e.scrollHeight > e.clientHeight + 2 || e.scrollWidth > e.clientWidth + 2).length,
            below: [...document.querySelectorAll('main :is([data-key], tr, li, article, figure, [data-testid=tile])')].filter(e => shown(e) && e.getBoundingClientRect().bottom > box.bottom + 2).map(e => e.outerHTML.slice(0, 120)),
          };
        }"""  # noqa: E501
    )
    assert found["keys"] >= 38 * scale
    assert [found["scrolls"], found["cut"], found["below"]] == [False, 0, []]


def on_paper(page: Page) -> None:
    """No button, a white ground, and nothing that is wider than the paper."""
    page.emulate_media(media="print")
    printed = page.evaluate(
        "() => [[...document.querySelectorAll('main button, header')].filter(e => e.offsetParent).length,"
        " getComputedStyle(document.documentElement).backgroundColor]"
    )
    assert printed == [0, "rgb(255, 255, 255)"]
    assert sideways(page) <= 0, "print"
    page.emulate_media(media="screen")


def reached_by_tab(page: Page, most: int = 120) -> dict[str, Any]:
    """Press Tab through the page: which controls were never reached, and which showed no focus."""
    page.evaluate("document.activeElement?.blur(); scrollTo(0, 0)")
    page.evaluate(
        """() => {
          window.met = new Set(); window.unseen = [];
          document.addEventListener('focusin', e => {
            met.add(e.target);
            const s = getComputedStyle(e.target);
            if (!e.target.matches('main#main') && s.outlineStyle === 'none' && s.boxShadow === 'none') unseen.push(e.target.outerHTML.slice(0, 120));
          });
        }"""  # noqa: E501
    )
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
    return dict(
        page.evaluate(
            """() => ({unseen, missed: [...document.querySelectorAll('a[href], button, input, select, textarea, summary')]
              .filter(e => e.checkVisibility() && !e.disabled && e.tabIndex >= 0 && !met.has(e)).map(e => e.outerHTML.slice(0, 120))})"""  # noqa: E501
        )
    )
