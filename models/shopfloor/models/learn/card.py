"""The model card: one HTML file that needs nothing else, for those who have to trust the model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Final

import numpy as np
from shopfloor.models.learn import plots
from shopfloor.models.learn.learned import Evidence, Learned
from shopfloor.models.learn.probability import reliability
from shopfloor.models.learn.train import leaky
from shopfloor.models.spec.memory import Floats

_STYLE: Final = """
:root{color-scheme:light dark;--ink:#1f2429;--dim:#5c666f;--line:#d7dce0;--paper:#fff;
--c0:#8a929a;--c1:#1769aa;--bad:#b3261e;--good:#1b6e3c}
@media(prefers-color-scheme:dark){:root{--ink:#e4e8eb;--dim:#9aa5ae;--line:#3a4249;--paper:#171b1f;
--c0:#8a929a;--c1:#6db3f2;--bad:#ff8a80;--good:#7fd19b}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);
max-width:1000px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem;margin:0}h2{font-size:1.05rem;margin:1.8rem 0 .5rem}.dim{color:var(--dim)}
.verdict{padding:.7rem 1rem;border-left:4px solid var(--good);margin:1rem 0;
background:color-mix(in srgb,var(--ink) 5%,transparent)}
.verdict.no{border-color:var(--bad)}.warn{color:var(--bad)}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(380px,1fr));gap:1.5rem}
table{border-collapse:collapse;width:100%}
td,th{padding:.25rem .6rem;text-align:left;border-bottom:1px solid var(--line)}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
svg{width:100%;font:11px system-ui,sans-serif;fill:var(--ink)}
.tick{text-anchor:middle;fill:var(--dim)}.side,.name{text-anchor:end;fill:var(--dim)}
.grid{stroke:var(--line);stroke-width:.5}.ideal{stroke:var(--c0);stroke-dasharray:4 4}
.mark{stroke:var(--bad);stroke-width:2}
.points{fill:var(--c1);fill-opacity:.35}.bars rect{fill:var(--c1)}polyline{fill:none;stroke-width:2}
polyline.c0{stroke:var(--c0)}polyline.c1{stroke:var(--c1)}.legend.c0{fill:var(--c0)}.legend.c1{fill:var(--c1)}
"""
_WORST: Final = 8
_SHOWN: Final = 12


def write_card(learned: Learned, title: str, file: Path) -> Path:
    """Write the card of a model and answer the file."""
    file.write_text(card(learned, title), encoding="utf-8")
    return file


def card(learned: Learned, title: str) -> str:
    """The card as HTML."""
    body = "\n".join(_parts(learned, title))
    name = escape(title)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{name}</title>'
        f"<style>{_STYLE}</style></head><body>{body}</body></html>\n"
    )


def _parts(learned: Learned, title: str) -> Iterator[str]:
    yield f'<h1>{escape(title)}</h1><p class="dim">{escape(_what(learned))}</p>'
    refused = " no" if learned.abstains else ""
    yield f'<p class="verdict{refused}">{escape(learned.verdict())}</p>'
    yield "<h2>Score</h2>" + _table(["", ""], _score_rows(learned))
    if learned.score and leaky(learned.score):
        yield (
            '<p class="warn">Random rows would claim far more than is true: rows of one group know each other. Only the'
            " honest score above counts.</p>"
        )
    yield "<h2>Data</h2>" + _table(["", ""], _data_rows(learned))
    if learned.findings:
        yield (
            "<h2>Warnings</h2><ul>" + "".join(f"<li>{escape(one.sentence)}</li>" for one in learned.findings) + "</ul>"
        )
    yield f'<div class="plots">{"".join(_plots(learned))}</div>'
    if learned.evidence is not None and learned.score is not None:
        yield "<h2>Worst cases</h2>" + _worst(learned, learned.evidence)
    if learned.trials:
        yield "<h2>What was tried</h2>" + _trials(learned)


def _what(learned: Learned) -> str:
    target = learned.roles.target or {"life": "remaining life", "novelty": "what is unusual"}.get(learned.task, "")
    spec = learned.spec
    return f"{learned.name} for {target}; feature specification {spec.sha[:12]}, {len(spec.names)} features."


def _score_rows(learned: Learned) -> Iterator[tuple[str, str]]:
    yield "Split", learned.split
    if (score := learned.score) is not None:
        yield score.name, f"{score.value:.4g} (90 % confidence: {score.low:.4g} to {score.high:.4g})"
        yield f"Trivial rule: {score.rule}", f"{score.baseline:.4g}"
        yield "Random rows would claim", "-" if score.random is None else f"{score.random:.4g}"
    if learned.intervals is not None and learned.coverage is not None:
        yield f"{learned.intervals.coverage:.0%} intervals cover", f"{learned.coverage:.1%} of cases not calibrated on"
    if (alarm := learned.alarm) is not None:
        day = "" if alarm.per_day is None else f", {alarm.per_day:.3g} a day for each asset"
        yield (
            "Alarm threshold",
            f"{alarm.threshold:.3g}: {alarm.false_alarms:.2%} false alarms{day}, finds {alarm.recall:.1%}",
        )
        yield "F1, threshold chosen without the fold", f"{alarm.f1:.3f}"
    if (usual := learned.usual) is not None:
        day = (
            "" if learned.like.per_day is None else f" ({usual.honest * learned.like.per_day:.3g} a day for each asset)"
        )
        yield (
            "False alarms on healthy rows not seen",
            f"{usual.honest:.2%}{day}, asked for {learned.roles.false_alarms:.2%}",
        )
        yield "With the textbook's threshold", f"{usual.naive:.2%}"


def _data_rows(learned: Learned) -> Iterator[tuple[str, str]]:
    yield "Rows", f"{learned.rows:,}"
    if learned.groups:
        yield "Groups", str(len(learned.groups))
    yield "Inputs", ", ".join(learned.spec.inputs)
    yield "Age is an input", "yes, declared legitimate" if learned.spec.age else "no"
    yield "CPU seconds", f"{learned.seconds:.1f} in all, {learned.fit_seconds:.1f} for the last fit"


def _plots(learned: Learned) -> Iterator[str]:
    evidence = learned.evidence
    if learned.usual is not None:
        drawn = plots.histogram(learned.usual.distance, learned.model.threshold, "distance from the usual")
        yield f"<div><h2>Healthy rows and the threshold</h2>{drawn}</div>"
    if evidence is not None and learned.task in ("number", "life"):
        drawn = plots.scatter(evidence.truth, evidence.said, "truth", "answer, out of fold")
        yield f"<div><h2>Answers</h2>{drawn}</div>"
        residual = evidence.said - evidence.truth
        yield f"<div><h2>Residuals</h2>{plots.histogram(residual, 0.0, 'answer - truth')}</div>"
    if evidence is not None and evidence.told is not None:
        yield f"<div><h2>Calibration</h2>{_calibration(evidence, evidence.told)}</div>"
    if learned.importance:
        drawn = plots.bars(learned.importance[:_SHOWN])
        yield f"<div><h2>Importance (loss when shuffled, out of fold)</h2>{drawn}</div>"


def _calibration(evidence: Evidence, told: Floats) -> str:
    """How often what was said came true, in ten bins: as the model says it, and as it is told, without the fold."""
    lines = [
        (f"{name} (error {reliability(said, evidence.truth)[2]:.3f})", *reliability(said, evidence.truth)[:2])
        for name, said in (("as the model says it", evidence.said), ("calibrated", told))
    ]
    across = "probability said" if told.shape[1] == 2 else "probability said of the most probable class"
    return plots.curves(lines, across, "share that came true")


def _worst(learned: Learned, evidence: Evidence) -> str:
    """The groups with the largest error where rows belong to groups, otherwise the rows."""
    if learned.task == "class":
        error = 1.0 - evidence.said[np.arange(len(evidence.truth)), evidence.truth.astype(int)]
    else:
        error = np.abs(evidence.said - evidence.truth)
    if learned.groups:
        names = [
            (learned.groups[g], float(error[evidence.group == g].mean())) for g in np.unique(evidence.group).tolist()
        ]
    else:
        names = [(f"row {evidence.row[i] + 1}", float(error[i])) for i in np.argsort(-error)[:_WORST].tolist()]
    worst = sorted(names, key=lambda one: -one[1])[:_WORST]
    what = "missing probability of the truth" if learned.task == "class" else "mean error"
    return _table(["which", what], [(name, f"{value:.3g}") for name, value in worst])


def _trials(learned: Learned) -> str:
    rows = [
        (
            trial.words,
            f"{trial.first:.4g}",
            "-" if trial.whole is None else f"{trial.whole:.4g}",
            f"{trial.seconds:.1f}",
        )
        for trial in learned.trials
    ]
    skipped = f'<p class="dim">Left out for time: {escape("; ".join(learned.skipped))}.</p>' if learned.skipped else ""
    return _table(["model", "first fold", "all folds", "CPU s"], rows) + skipped


def _table(head: Sequence[str], rows: Sequence[Sequence[str]] | Iterator[Sequence[str]]) -> str:
    top = "" if not any(head) else "<tr>" + "".join(f"<th>{escape(one)}</th>" for one in head) + "</tr>"
    lines = ("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table>{top}{''.join(lines)}</table>"
