"""What a user would say about each data set, and how its official protocol judges the answers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.evaluate import average_precision
from shopfloor.models.learn import Learned, Roles, read_table, train
from shopfloor.services.bench.models import loaders

Row = dict[str, Any]
Told = Callable[[str], None]
Columns = loaders.Columns

CAP: Final = 125.0
_HARD: Final = (3, 9, 15)
_QUICK_S: Final = 40.0


def row(measure: str, value: float, bar: str = "", kept: bool | None = None, digits: int = 3) -> Row:
    """A measured number, what it is held to, and whether that is kept."""
    return {"measure": measure, "value": round(float(value), digits), "bar": bar, "kept": kept}


def _learn(table: Columns, roles: Roles, told: Told, budget_s: float = 120.0) -> Learned:
    return train(table, roles, budget_s=budget_s, progress=lambda _, sentence: told(sentence))


def cmapss(place: Path, told: Told) -> list[Row]:
    """Remaining life of engines; official test, one answer for each engine at its last cycle."""
    return [*_engines(place, "FD001", 10.9, told), *_engines(place, "FD003", 10.3, told)]


def _engines(place: Path, subset: str, most: float, told: Told) -> list[Row]:
    roles = Roles(
        task="life", asset="engine", time="cycle", settings=("setting 1", "setting 2", "setting 3"), cap=CAP, age=True
    )
    learned = _learn(loaders.cmapss(place, "train", subset), roles, lambda text: told(f"{subset}: {text}"))
    test = loaders.cmapss(place, "test", subset)
    last = np.append(np.flatnonzero(np.diff(test["engine"])), len(test["engine"]) - 1)
    said = learned.predict(test)
    value, low, high = said.value[last], said.low[last], said.high[last]
    truth = loaders.numbers(place / f"RUL_{subset}.txt")
    capped = np.minimum(truth, CAP)
    error = _rmse(value, capped)
    inside = 100 * float(((low <= capped) & (capped <= high)).mean())
    late = value - capped
    penalty = float(np.where(late < 0, np.exp(-late / 13), np.exp(late / 10)).sum() - len(late))
    claimed = learned.score
    return [
        row(f"{subset} RMSE, truth capped at 125", error, f"<= {most}", error <= most, 2),
        row(f"{subset} RMSE, truth as it is", _rmse(value, truth), digits=2),
        row(f"{subset} NASA score, capped", penalty, digits=0),
        row(f"{subset} 90 % intervals cover (%)", inside, "88 to 93", 88 <= inside <= 93, 1),
        row(f"{subset} mean width of the intervals (cycles)", float((high - low).mean()), digits=1),
        row(f"{subset} RMSE by grouped folds of train, all cycles", claimed.value if claimed else np.nan, digits=2),
        row(f"{subset} RMSE that random rows claim", (claimed.random or np.nan) if claimed else np.nan, digits=2),
        row(f"{subset} CPU seconds of the model", learned.fit_seconds, "< 20", learned.fit_seconds < 20, 1),
        row(f"{subset} CPU seconds of the whole search", learned.seconds, digits=0),
    ]


def _rmse(said: NDArray[Any], truth: NDArray[Any]) -> float:
    return float(np.sqrt(np.mean((said - truth) ** 2)))


def tep(place: Path, told: Told) -> list[Row]:
    """Detection with thresholds from normal data only; diagnosis of every row after the onset."""
    normal = loaders.tep(place, "d00")
    normal["sample"] = np.arange(len(normal["variable 1"]), dtype=float)
    watch = _learn(normal, Roles(time="sample", healthy=(0, len(normal["sample"]))), told)
    found, false = [], []
    for i in range(1, 22):
        run = loaders.tep(place, f"d{i:02d}_te")
        run["sample"] = np.arange(len(run["variable 1"]), dtype=float)
        alarm = watch.predict(run).alarm
        false.append(alarm[: loaders.TEP_ONSET].mean())
        found.append(alarm[loaders.TEP_ONSET :].mean())
    hard = np.isin(np.arange(1, 22), _HARD)
    share, wrong = 100 * np.array(found), 100 * float(np.mean(false))
    detected = float(share[~hard].mean())
    return [
        row("detection of 18 faults (%)", detected, ">= 93", detected >= 93, 1),
        row("detection of all 21 faults (%)", float(share.mean()), digits=1),
        row("false alarms before the fault (%)", wrong, "<= 1", wrong <= 1, 2),
        row("CPU seconds of detection", watch.seconds, digits=1),
        *_diagnosis(place, hard, told),
    ]


def _diagnosis(place: Path, hard: NDArray[np.bool_], told: Told) -> list[Row]:
    learned_from, judged_on = loaders.tep_faults(place)
    roles = Roles(target="fault", task="class", run="run", time="sample")
    learned = _learn(learned_from, roles, told)
    said = np.array(learned.classes, float)[learned.predict(judged_on).value.astype(int)]
    right = 100 * (said == judged_on["fault"])
    each = np.array([right[judged_on["fault"] == i].mean() for i in range(1, 22)])
    return [
        row("diagnosis of 21 faults (%)", float(each.mean()), ">= 80", float(each.mean()) >= 80, 1),
        row("diagnosis without faults 3, 9 and 15 (%)", float(each[~hard].mean()), digits=1),
        row("CPU seconds of the whole search", learned.seconds, digits=0),
    ]


def ai4i(place: Path, told: Told) -> list[Row]:
    """Failure of a machine from its six raw inputs; the whole service is repeated in each of five folds."""
    table = read_table(place / "ai4i2020.csv")
    flags = ("TWF", "HDF", "PWF", "OSF", "RNF")
    roles = Roles(target="Machine_failure", independent=True, ignore=(*flags, "UDI", "Product ID"))
    truth = table["Machine_failure"]
    probability, alarm = np.zeros(len(truth)), np.zeros(len(truth))
    for fold, (learned, rows) in _nested(table, roles, truth, 5, told):
        said = learned.predict(fold)
        probability[rows], alarm[rows] = said.probability[:, 1], said.value
    precision, share = average_precision(probability, truth), _f1(alarm, truth)
    return [
        row("average precision, 5 folds", precision, ">= 0.88", precision >= 0.88),
        row("F1 of the failures, threshold from the learning rows", share, ">= 0.84", share >= 0.84),
        row("trivial rule: average precision", float(truth.mean())),
    ]


def _f1(alarm: NDArray[Any], truth: NDArray[Any]) -> float:
    return float(2 * (alarm * truth).sum() / max(alarm.sum() + truth.sum(), 1))


def steel_plates(place: Path, told: Told) -> list[Row]:
    """Seven faults of steel plates; the whole service is repeated in each of ten folds."""
    table = read_table(place / "faults.csv")
    roles = Roles(target="failure.type", task="class", independent=True, ignore=("target",))
    truth = table["failure.type"]
    right = np.zeros(len(truth))
    for fold, (learned, rows) in _nested(table, roles, truth, 10, told):
        said = np.array(learned.classes, float)[learned.predict(fold).value.astype(int)]
        right[rows] = said == truth[rows]
    accuracy = 100 * float(right.mean())
    usual = 100 * float(np.bincount(truth.astype(int)).max() / len(truth))
    return [
        row("accuracy, 10 folds (%)", accuracy, ">= 80", accuracy >= 80, 2),
        row("trivial rule: accuracy (%)", usual, digits=1),
    ]


def _nested(table: Columns, roles: Roles, truth: NDArray[Any], folds: int, told: Told) -> Any:
    """Each fold's table, the model that the service made of the others, and its rows; classes are spread evenly."""
    shuffled = np.random.default_rng(0).permutation(len(truth))
    place = np.empty(len(truth), int)
    place[shuffled[np.argsort(truth[shuffled], kind="stable")]] = np.arange(len(truth)) % folds
    for k in range(folds):
        rows = np.flatnonzero(place == k)
        rest = {name: values[place != k] for name, values in table.items()}
        learned = _learn(rest, roles, partial(_tell_fold, told, f"fold {k + 1} of {folds}"), _QUICK_S)
        yield {name: values[rows] for name, values in table.items()}, (learned, rows)


def _tell_fold(told: Told, fold: str, sentence: str) -> None:
    told(f"{fold}: {sentence}")


def cnc_mill(place: Path, told: Told) -> list[Row]:
    """Worn or not, from 18 experiments: too few to claim anything."""
    roles = Roles(target="tool", run="experiment", time="row")
    learned = _learn(loaders.cnc(place), roles, told, 60.0)
    found = learned.score
    if found is None:
        return []
    refused = learned.abstains is not None
    return [
        row("abstains (1: yes)", float(refused), "yes", refused, 0),
        row(f"{found.name} by experiment", found.value),
        row(f"{found.name} by experiment, 90 % confidence from", found.low),
        row(f"{found.name} that random rows claim", found.random or np.nan),
        row(f"trivial rule: {found.name}", found.baseline),
    ]
