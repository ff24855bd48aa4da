"""docs/benchmarks/models.md: what was measured, beside what others published."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from shopfloor.services.bench.report import Page, rows

TITLES: Final = {
    "cmapss": "C-MAPSS: remaining life of turbofan engines",
    "tep": "TEP: faults of a chemical process",
    "ai4i": "AI4I 2020: failures of a milling machine",
    "steel-plates": "Steel plates: seven faults",
    "cnc-mill": "CNC mill: is the tool worn?",
    "live": "Live: from the arrival of a window to its score",
    "protocol": "The inference protocol beside the plain function",
}
MADE: Final = ("live", "protocol")
"""Those that need no data set."""

PROTOCOLS: Final = {
    "cmapss": (
        "Learned from train_FD00x, chosen by folds of whole engines; one answer for each test engine at its last cycle."
        " Said by the user: remaining life is capped at 125, age is legitimate. Papers cap the test's truth or do not:"
        " both numbers are shown."
    ),
    "tep": (
        "Detection: learned, and thresholds set, from the 500 rows of d00 alone; judged on d01_te to d21_te, before and"
        " after sample 160. Diagnosis: learned from d01 to d21, judged on every row after the onset; a class lives in"
        " one run only, so that models are chosen by blocks of time within runs."
    ),
    "ai4i": (
        "Six raw inputs, rows declared independent; the whole service (interactions, search, threshold) is repeated in"
        " each of five folds, and judged on the rows that it did not get."
    ),
    "steel-plates": "Rows declared independent; the whole service is repeated in each of ten folds.",
    "cnc-mill": "18 experiments; the split is by experiment, and the service says what it thinks of 18.",
    "live": (
        "1,000 assets with 20 inputs, a window of each every second, spread evenly: one arrives every millisecond by"
        " the clock, whether the last one is scored or not. Each goes through the feature spec's stream (140 features)"
        " and the bundle (100 boosted trees, value with interval) with everything else that is due. One thread; the"
        " loop is scikit-learn asked about one window after the other, with the same stream."
    ),
    "protocol": (
        "That model in a server of its own process, asked over one connection on loopback; latency is that of the"
        " client, one request after the other. The bytes are those of the binary tensor extension, both ways."
        " Latency depends on what else the machine does, CPU less so; the load stands below."
    ),
}

LOOKED: Final = {
    "cmapss": "The test was looked at {n}; features and candidates were chosen by folds of train alone.",
    "tep": (
        "The test was looked at {n}; an earlier study, whose detector this one follows, looked about 60 times. Runs to"
        " learn from begin in the fault, those of the test begin healthy: nothing is measured from a run's begin where"
        " a class was seen in one run only. Folds cannot see what that is worth; the test does (79.3 % without it)."
    ),
    "ai4i": (
        "There is no separate test; the search for interactions and the list of models were written with this data set"
        " in view."
    ),
    "steel-plates": (
        "There is no separate test. These folds were looked at {n}: by the service when one fold chose its finalists"
        " (77.8 %), by four single models and a mean of two (the best 80.7 %, the mean 81.4 %), which is how its"
        " weakness was found and a mean came among the models, by the first fold alone of two states of the race before"
        " this one, and now."
    ),
    "cnc-mill": "There is no separate test.",
}

REFERENCES: Final = {
    "cmapss": (
        ("deep LSTM (2017)", "FD001 16.14, FD003 16.18", "as quoted in arXiv 2604.27234"),
        ("LSTM, CNN, XGBoost (2026 study)", "FD001 14.93 (LSTM), FD003 13.36 (XGBoost)", "arXiv 2604.27234"),
        ("DKAMFormer", "FD001 10.68, FD003 10.52", "list of a 2025 online book; protocol not verified"),
        ("AMNL, 5 seeds", "FD001 10.43 +- 1.94, FD003 9.51 +- 1.74", "the same book; protocol not verified"),
    ),
    "tep": (
        ("PCA, textbook thresholds", "18 faults 88.1 %, but 17.9 % false alarms", "our study of the baselines"),
        ("PCA, threshold set for 1 %", "18 faults 73.4 %", "our study of the baselines"),
        ("dynamic PCA, 30-row mean", "18 faults 93.5 % at 1.1 %", "our study of the baselines"),
        ("shrinkage LDA, diagnosis", "69.6 %, without 3, 9, 15: 80.1 %", "our study of the baselines"),
    ),
    "ai4i": (
        ("CatBoost", "F1 0.69", "published write-up"),
        ("XGBoost, sensors only", "average precision 0.82", "published write-up"),
        ("gradient boosting, raw inputs", "F1 0.77, average precision 0.835", "our study of the baselines"),
        ("gradient boosting, interactions by hand", "F1 0.851 to 0.858, average precision 0.897", "our study"),
    ),
    "steel-plates": (
        ("random forest, gradient boosting", "77 to 80 %", "several write-ups"),
        ("gradient boosting", "80.4 %", "our study of the baselines"),
    ),
    "cnc-mill": (("random rows, as notebooks do", "99 %", "common; reproduced in our study: 99.3 %"),),
}
"""Those that are made have none."""

_INTRO: Final = """
# Models on public data sets

Written by `shopfloor bench models --publish`. One training service does all of them: for each data set there is only a
loader, the roles of its columns, and what a user would say (age is legitimate, rows are independent).
[How it learns](../models.md). Missed bars are shown as missed. Two parts, `live` and
`protocol`, say how fast models are asked.
"""


def _table(part: Mapping[str, Any]) -> str:
    measured = [[r["measure"], f"{r['value']:g}", r["bar"] or "-", _kept(r)] for r in part["summary"]]
    name = part["name"]
    table = rows(["measured", "value", "bar", ""], measured)
    if name in MADE:
        return f"{PROTOCOLS[name]}\n\n{table}"
    said = [list(line) for line in REFERENCES[name]]
    seconds = f"{part['seconds']:.0f} CPU seconds in all"
    return (
        f"{PROTOCOLS[name]} {part['looked']}\n\nData: SHA-256 {part['data']}…; {seconds}.\n\n"
        f"{table}\n\n{rows(['others', 'result', 'source'], said, left=3)}"
    )


def _kept(r: Mapping[str, Any]) -> str:
    return "" if r["kept"] is None else "kept" if r["kept"] else "**missed**"


PAGE: Final = Page("models", _INTRO, tuple(TITLES), _table)
