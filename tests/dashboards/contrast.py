"""Contrast of what is no text, after WCAG 2.2 (1.4.11): at least 3:1, on the page as it is drawn."""

from __future__ import annotations

from playwright.sync_api import Page

LEAST = 3.0


def pale(page: Page) -> list[str]:
    """Fields, symbols and lines of charts that stand out too little from what is behind them."""
    return list(page.evaluate(_PALE, LEAST))


_PALE = r"""least => {
  const part = c => { c /= 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
  const light = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
  const read = text => { const n = (text.match(/[\d.]+/g) ?? []).map(Number); return n.length < 3 || n[3] === 0 ? null : n; };
  const ground = e => { for (let at = e; at; at = at.parentElement) { const c = read(getComputedStyle(at).backgroundColor); if (c && (c[3] ?? 1) === 1) return c; } return [255, 255, 255]; };
  const shown = e => e.checkVisibility({ opacityProperty: false }) && !e.closest('[hidden]');
  const found = [];
  const look = (e, colours, behind, what) => {
    const best = Math.max(0, ...colours.filter(Boolean).map(c => ratio(c, behind)));
    if (best < least) found.push(`${what} ${best.toFixed(2)}: ${e.outerHTML.slice(0, 110)}`);
  };
  for (const e of document.querySelectorAll('input:not([type=checkbox]):not([type=radio]), select, textarea')) {
    if (shown(e)) look(e, [read(getComputedStyle(e).borderBottomColor), ground(e)], ground(e.parentElement), 'field');
  }
  for (const e of document.querySelectorAll('main svg :is(path, rect, circle, polyline), header svg :is(path, rect), dialog svg :is(path, rect)')) {
    const s = getComputedStyle(e);
    if (!shown(e) || e.closest('[data-quiet]')) continue;
    const own = [s.fill, s.stroke].map(c => c === 'none' ? null : read(c));
    look(e, own, ground(e), 'symbol');
  }
  if (!getComputedStyle(document.documentElement).getPropertyValue('--p1')) return found;
  const swatch = document.createElement('i'); document.body.append(swatch);
  const variable = name => { swatch.style.color = `var(${name})`; return read(getComputedStyle(swatch).color); };
  for (const [line, behind] of [['--p1', '--panel'], ['--p2-edge', '--panel'], ['--p3', '--panel'], ['--mark', '--band'], ['--trace', '--band'], ['--trace', '--panel'], ['--edge', '--panel'], ['--edge', '--page'], ['--focus', '--panel'], ['--focus', '--page'], ...[1, 2, 3, 4, 5, 6].map(n => [`--t${n}`, '--panel'])]) {
    const value = ratio(variable(line), variable(behind));
    if (value < least) found.push(`${line} on ${behind} ${value.toFixed(2)}`);
  }
  swatch.remove();
  return found;
}"""  # noqa: E501
