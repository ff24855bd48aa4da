"""Whatever the demonstration can say has Chinese words: reasons, advice, sentences, states, tags, scores."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from importlib.resources import files

import numpy as np
import pytest
import said_of_models as of_models
import said_of_uploads as of_uploads
import said_when_refused as when_refused
from front_end import node
from shopfloor.models import reasons, split, train_parts, train_pots
from shopfloor.models.features import PART_FEATURES, POT_FEATURES
from shopfloor.plant import Asset, AssetPath, config
from shopfloor.services.alarms import AlarmKind, Condition, sources, words
from shopfloor.services.alarms.design import Suppression
from shopfloor.services.brain import judge
from shopfloor.services.quality import rules
from shopfloor.services.quality import words as quality_words
from shopfloor.services.quality.evaluate import Points

pytestmark = pytest.mark.browser
PLANT = config.loads(files("shopfloor.services.plants").joinpath("demo.yaml").read_text("utf-8"), "demo.yaml")
NAN = math.nan


def untold(sentences: set[str]) -> list[str]:
    """Those that the pages would show in English to Chinese readers."""
    return list(json.loads(node("tests/untold.mjs", json.dumps(sorted(sentences)))))


def said_by_reasons() -> Iterator[str]:
    for features in (PART_FEATURES, POT_FEATURES):
        for group in reasons.groups(features):
            yield f"A value of {group.tag} is missing."
            for number in (1.5, -0.5, 2000.0, NAN):
                yield group.sentence(dict.fromkeys(features, number))
    for event in ("TAPPING", "ANODE_CHANGE", "ANODE_EFFECT"):
        values = dict.fromkeys(POT_FEATURES, 3000.0) | {f"minutes since {event}": 45.0}
        yield from (group.sentence(values) for group in reasons.groups(POT_FEATURES))


def said_by_judge() -> Iterator[str]:
    settings = {"act": 0.5, "watch": 0.2, "horizon_minutes": 30.0, "base_rate": 0.007}
    for word in judge._WORDS.values():
        for value in (-40.0, 0.001, 0.3, 0.7, 1.0, 10.0, 25.0, 40.0, 90.0):
            for baseline in (None, 0.0, 80.0):
                _, sentence, advice = word(judge.Verdict(value, value - 9, value + 9, baseline, settings))
                yield from (sentence, advice)
    yield "Judged again an hour after the tapping or anode change."
    yield from ("No data for 12 minutes.", "No data yet.")


def said_by_models() -> Iterator[str]:
    hours = np.arange(200, dtype=np.int64) * 3_600_000_000_000
    for what in ("machines", "pots"):
        yield split.split(np.arange(200) % 8, hours, what).sentence
        yield split.split(np.arange(20) % 8, hours[:20], what).sentence
    for naming in (train_parts.DIMENSION, train_parts.OUT, train_parts.LIFE, train_pots.UNUSUAL, train_pots.EFFECT):
        yield naming.title
    yield "It abstains: Brier score did not beat the baseline on unseen pots."


def said_by_alarms() -> Iterator[str]:
    for kind in PLANT.types.values():
        for tag in kind.tags:
            yield tag.title or tag.name
            yield from tag.states if tag.name == "state" else ()
            for limit in tag.limits:
                condition = words.limit_condition("k", "a", "Pot 17", tag, limit, limit.value)
                yield from (condition.title, condition.sentence, condition.why, condition.advice)
    yield from said_by_suppressions()
    for said in sources.designed([sources.Link("edge-1", "potline", "waiting", "", 1.0, 0.0, dropped=2)]):
        yield from (said.title, said.sentence, said.advice)


def said_by_suppressions() -> Iterator[str]:
    suppression = Suppression(PLANT)
    asset = next(asset for asset in PLANT.assets if PLANT.types[asset.type].suppress)
    (rule,) = PLANT.types[asset.type].suppress
    path = f"{asset.path}/{rule.tags[0]}"
    condition = Condition("k", AlarmKind.LIMIT, "limit_high", 2, "t", "s", asset=str(asset.path), tag=path)
    for time, state in ((1, rule.states[0]), (2, "EXECUTE")):
        suppression.see(f"{asset.path}/{rule.tag}", time, state)
        reason = suppression.reason(condition, time)
        assert reason
        yield reason


def said_by_charts() -> Iterator[str]:
    """Titles and advice of the demonstration's charts, and every rule as an alarm says it."""
    ones = np.ones(1)
    for kind in PLANT.types.values():
        for chart in kind.charts.values():
            tag = next(tag for tag in kind.tags if tag.name == chart.tag)
            yield from (chart.title or tag.title, chart.advice)
            asset = Asset(AssetPath.parse("delta/smelter/potline/row-1/pot-17"), kind.name, "Pot 17")
            points = Points(*[ones] * 14, np.ones((1, 1), bool))  # type: ignore[arg-type]
            for rule in rules.WORDS:
                said = quality_words.condition("k", asset, chart, tag, [rule], points)
                yield from (said.title, said.sentence, said.why, said.advice)


@pytest.mark.parametrize(
    "sayer",
    [
        said_by_reasons,
        said_by_judge,
        said_by_models,
        said_by_alarms,
        said_by_charts,
        of_uploads.sentences,
        when_refused.sentences,
        *of_models.SAYERS,
    ],
)
def test_everything_said_has_chinese(sayer: object) -> None:
    sentences = set(sayer())  # type: ignore[operator]
    assert len(sentences) > 8
    lacking = untold(sentences)
    assert not lacking, "\n".join(lacking)


def test_an_unknown_sentence_is_found() -> None:
    assert untold({"The moon is made of cheese.", "No data yet."}) == ["The moon is made of cheese."]
