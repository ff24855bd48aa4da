"""The life of a version: submitted, shadow, champion, rolled back, retired; who decides, and what is refused."""

import time
from pathlib import Path

import pytest
from shopfloor.services.registry import ModelUnknown, Policy, Refused, Registry, Stage
from small_registry import EVERYWHERE, FLEET, MACHINE, bundle, opened, scored, submitted, true

LINE = "delta/frames/line-1"


def speaks(registry: Registry, asset: str = MACHINE) -> int | None:
    live = registry.resolve("life", asset).live
    return live.number if live else None


def test_the_same_content_is_one_version_and_other_content_the_next(tmp_path: Path) -> None:
    with opened(tmp_path) as registry:
        one, again, two = (
            registry.submit(bundle(tmp_path / at, seed), "anna") for at, seed in [("a", 1), ("b", 1), ("a", 2)]
        )
        assert (one.number, again, two.number) == (1, one, 2)
        assert registry.bundles.fault(one.sha) == ""
        (registry.bundles.at(one.sha) / "arrays.npz").write_bytes(b"another")
        assert "not what was submitted" in registry.bundles.fault(one.sha)


def test_what_is_no_bundle_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as registry:
        broken = bundle(tmp_path, 1)
        (broken / "manifest.json").write_text("[]")
        linked = bundle(tmp_path, 2)
        (linked / "link").symlink_to("/etc/passwd")
        for folder in (broken, linked, tmp_path / "nothing"):
            with pytest.raises(Refused):
                registry.submit(folder, "anna")
        assert not list((tmp_path / "registry" / "bundles").glob("*"))
        assert registry.revision == 0


def test_the_first_version_speaks_by_rule_and_no_other_does(tmp_path: Path) -> None:
    with opened(tmp_path) as registry:
        one = registry.submit(bundle(tmp_path, 1), "brain")
        event = registry.begin_with(one, EVERYWHERE)
        assert event is not None
        assert (event.by, event.why) == ("system: first model", "Nothing was there before.")
        assert registry.begin_with(registry.submit(bundle(tmp_path, 2), "brain"), LINE) is None
        assert speaks(registry) == 1


def test_a_champion_of_a_more_specific_scope_wins_and_retired_it_gives_way(tmp_path: Path) -> None:
    with opened(tmp_path) as registry:
        submitted(registry, tmp_path, 2)
        registry.promote("life", 2, LINE, "anna", "a trial on one line", override=True)
        assert (speaks(registry, FLEET[10]), speaks(registry)) == (2, 1)
        registry.roll_back("life", LINE, "anna", "it was worse")
        assert speaks(registry, FLEET[10]) == 1
        assert registry.state.place("life", LINE).stage(2) is Stage.RETIRED


def test_what_holds_is_found_again_after_a_restart(tmp_path: Path) -> None:
    with opened(tmp_path) as registry:
        submitted(registry, tmp_path, 3)
        registry.shadow("life", 2, EVERYWHERE, "brain", "retrained", propose=True)
        registry.promote("life", 3, LINE, "anna", "a trial", override=True)
        before = registry.state
    with opened(tmp_path) as again:
        assert again.state == before
        assert [v.number for v in again.resolve("life", MACHINE).shadows] == [2]


@pytest.mark.parametrize("nobody", ["", " ", "system", "system: me", "Local", "gateway"])
def test_only_a_named_person_approves(tmp_path: Path, nobody: str) -> None:
    with opened(tmp_path) as registry:
        submitted(registry, tmp_path, 2)
        with pytest.raises(Refused, match="no person"):
            registry.promote("life", 2, EVERYWHERE, nobody, "because", override=True)
        assert speaks(registry) == 1


def test_an_override_needs_a_reason_and_is_in_the_audit(tmp_path: Path) -> None:
    with opened(tmp_path) as registry:
        submitted(registry, tmp_path, 2)
        with pytest.raises(Refused, match="no reason"):
            registry.promote("life", 2, EVERYWHERE, "anna", " ", override=True)
        event = registry.promote("life", 2, EVERYWHERE, "anna", "the sensor was replaced", override=True)
        assert event.detail is not None
        assert event.detail["overridden"] == ["labels", "loss", "coverage", "latency", "errors"]
        assert (event.before["champion"], event.after["champion"], event.by) == (1, 2, "anna")  # type: ignore[index]


FAILING = [
    ({"n": 30}, "30 labelled windows of 200 that are needed"),
    ({"off": 3.0, "half": 5.0}, "a loss"),
    ({"half": 0.01}, "a coverage of"),
    ({"latency_us": 20_000.0}, "a latency of 20 ms"),
]


@pytest.mark.parametrize(("change", "said"), FAILING)
def test_a_refused_promotion_says_which_condition_fails(tmp_path: Path, change: dict[str, float], said: str) -> None:
    with opened(tmp_path) as registry:
        one, two = submitted(registry, tmp_path, 2)
        scored(registry, one, 2.0, half=3.3, live=True)
        scored(registry, two, **({"off": 1.0, "half": 1.645, "seed": 3} | change))  # type: ignore[arg-type]
        true(registry)
        with pytest.raises(Refused) as refused:
            registry.promote("life", 2, EVERYWHERE, "anna", "")
        assert said in str(refused.value)
        assert str(refused.value).count(". ") == 0, "one sentence"
        assert speaks(registry) == 1


def test_good_evidence_and_a_person_promote_and_a_rollback_is_as_quick(tmp_path: Path) -> None:
    with opened(tmp_path) as registry:
        one, two = submitted(registry, tmp_path, 2)
        scored(registry, one, 2.0, n=1_000, half=3.3, live=True)
        scored(registry, two, 1.0, n=1_000, half=1.645, seed=3)
        true(registry, 1_000)
        registry.shadow("life", 2, EVERYWHERE, "brain", "retrained", propose=True)
        asked = time.thread_time()
        evidence = registry.evidence("life", 2, EVERYWHERE)
        once = time.thread_time() - asked
        assert (evidence.exact, evidence.censored, evidence.against) == (1_000, 0, 1)
        assert evidence.upper is not None
        assert evidence.upper < 0.0
        begun = time.thread_time()
        registry.approve("life", EVERYWHERE, "anna", "better on every line")
        assert speaks(registry) == 2
        promoted = time.thread_time()
        registry.roll_back("life", EVERYWHERE, "ben", "the line complains")
        assert speaks(registry) == 1
        rolled_back = time.thread_time()
        assert promoted - begun < 3 * once, "hardly more than looking at the evidence once more"
        assert rolled_back - promoted < once


def test_nothing_to_roll_back_to_is_said(tmp_path: Path) -> None:
    with opened(tmp_path) as registry:
        submitted(registry, tmp_path, 1)
        with pytest.raises(Refused, match="nothing to roll back to"):
            registry.roll_back("life", EVERYWHERE, "anna", "worse")
        with pytest.raises(Refused, match="no champion on this scope"):
            registry.roll_back("life", LINE, "anna", "worse")


def test_unknown_names_and_numbers_say_what_there_is(tmp_path: Path) -> None:
    with opened(tmp_path) as registry:
        submitted(registry, tmp_path, 2)
        with pytest.raises(ModelUnknown, match="there are life"):
            registry.evidence("live", 1, EVERYWHERE)
        with pytest.raises(ModelUnknown, match="1 to 2"):
            registry.promote("life", 3, EVERYWHERE, "anna", "")


def test_an_abstaining_champion_stands_in_nobodys_way_and_an_abstaining_version_never_speaks(tmp_path: Path) -> None:
    with opened(tmp_path) as registry:
        mute = registry.submit(bundle(tmp_path, 1, state="abstains"), "brain")
        registry.begin_with(mute, EVERYWHERE)
        registry.submit(bundle(tmp_path, 2), "brain")
        registry.submit(bundle(tmp_path, 3, state="abstains"), "brain")
        registry.promote("life", 2, EVERYWHERE, "anna", "")
        with pytest.raises(Refused, match="abstains"):
            registry.promote("life", 3, EVERYWHERE, "anna", "why not", override=True)
        assert speaks(registry) == 2


def test_probabilities_are_judged_by_their_square_and_their_mean(tmp_path: Path) -> None:
    with opened(tmp_path, Policy(least=100)) as registry:
        submitted(registry, tmp_path, 2, kind="probability")
        evidence = registry.evidence("life", 2, EVERYWHERE)
        names = [c.name for c in registry.conditions(registry.state.version("life", 2), evidence)]
        assert names == ["labels", "loss", "coverage", "latency", "errors"]
