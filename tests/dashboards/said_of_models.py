"""Every sentence that the server has about the life of models, made by the code that says it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
from shopfloor.models.advise import levers
from shopfloor.models.advise.examples import ridge
from shopfloor.models.advise.terms import Change, Found, NoneFound
from shopfloor.plant import ShopfloorError
from shopfloor.plant.tag import Tag
from shopfloor.services.brain import advise, drifting
from shopfloor.services.brain.replay.jobs import Replays
from shopfloor.services.brain.replay.replay import Question
from shopfloor.services.registry import Card, Registry
from shopfloor.services.registry.gate import Evidence, Policy, conditions
from shopfloor.services.registry.moves import begun, next_wave, rolled_back, shadowed
from shopfloor.services.registry.scope import scope
from shopfloor.services.registry.unlabelled import AssetDays, of_days
from shopfloor.services.registry.words import Place, person, reason
from shopfloor.services.replaying import Wish

CARD: Final = Card("dim", "dimension", "Dim", "regression", "um", 0.9, 0, "ready")
NOTHING: Final = Evidence(2, 1, "*", 0, 0, 0, 0, *([None] * 6), 0.9, None, None, None, None)
SOME: Final = replace(
    NOTHING, windows=9, exact=1, stories=9, difference=-0.1, upper=0.2, coverage=0.8, gap=0.05, latency_ms=11.0,
    errors=0.02,
)  # fmt: skip
POLICY: Final = Policy()


def refused(*steps: Callable[[], Any]) -> Iterator[str]:
    """The sentence of each step, all of which must be refused."""
    for step in steps:
        try:
            step()
        except ShopfloorError as problem:
            yield str(problem)
        else:
            raise AssertionError("a step that is refused was taken")


def the_gate() -> Iterator[str]:
    for kind in ("regression", "probability"):
        for evidence in (NOTHING, SOME, replace(SOME, upper=None), replace(SOME, exact=300)):
            yield from (c.sentence for c in conditions(replace(CARD, kind=kind), evidence, POLICY))
    for days in (AssetDays(1, 0, 1, 0, 0, 0.1), AssetDays(0, 0, 0, 0, 0, None), AssetDays(9, 1, 9, 7, 8, 0.1)):
        for known in (days, replace(days, found_against=None)):
            yield from (c.sentence for c in of_days(known, 1, 0.95))


def refused_steps() -> Iterator[str]:
    spreading = begun(Place(champion=1), 2, "a/b/c", "Anna", 0)
    yield from refused(
        lambda: person(""), lambda: reason(" "), lambda: scope("a/b/c/d/e/f"), lambda: scope("a//b"),
        lambda: shadowed(Place(champion=1), 1), lambda: rolled_back(Place(), 0, wider=False),
        lambda: rolled_back(Place(champion=1), 0, wider=False), lambda: begun(spreading, 3, "", "Anna", 0),
        lambda: next_wave(Place(), 0),
    )  # fmt: skip
    with registry() as found:
        yield from refused(
            lambda: found.promote("dim", 1, "*", "Anna", ""), lambda: found.promote("dim", 2, "*", "Anna", ""),
            lambda: found.promote("dim", 3, "*", "Anna", ""), lambda: found.approve("dim", "*", "Anna", ""),
            lambda: found.promote("dim", 9, "*", "Anna", ""), lambda: found.promote("x", 1, "*", "Anna", ""),
        )  # fmt: skip


def replays_and_drift() -> Iterator[str]:
    yield from ("The replay is done.", "The replay was cancelled.", "Reading the history.")
    yield "The replay broke off: the log of the server says why."
    with registry() as found:
        jobs = Replays(found, None, ())  # type: ignore[arg-type]
        wish = Wish("dim", 3, "*", 0, 1, "Anna")
        yield from refused(
            lambda: jobs.begin(wish), lambda: jobs.told("r1"), lambda: jobs.again("p1"), lambda: Question("*", 5, 4)
        )
    yield "A replay goes on already: wait until it is done, or cancel it."
    yield "No asset of a/b is one that dim judges: give another scope."
    feature: Mapping[str, Any] = {"psi": 0.5, "moved": None}
    for several in ([], [feature], [feature, {"psi": 0.0, "moved": 1.0}]):
        yield from (drifting._sentence(ridge(), rows, several) for rows in (1, 7))
    yield "coverage: 20% of truths fell outside, 10% may."
    yield "errors: 3 of 60 windows got no score."
    yield "latency: A score takes 12 ms, allowed are 10."
    yield "loss: Its loss is at least 0.2 above that of version 1."


def said_by_advice() -> Iterator[str]:
    tags = {"a": Tag("a", title="Tool offset", unit="um", decimals=1), "b": Tag("b", title="Spindle power", decimals=2)}
    changes = (Change("a", 1.0, 2.0), Change("b", 1.0, 2.0))
    for found in (
        Found((), 0.1, 0.2, 9), Found(changes[:1], 0.1, 0.2, 9), Found(changes, 0.1, 0.2, 9), NoneFound(9, np.inf),
        NoneFound(9, 0.0), NoneFound(9, 1.5),
    ):  # fmt: skip
        yield from (advise._sentence(found, usable, tags, unit) for usable in (True, False) for unit in ("um", ""))
    for kind in levers.LEVERS.values():
        yield from (levers._why_not(lever, [lever.tag] if seen else []) for lever in kind for seen in (True, False))
    yield "The plant file does not give it as writable, with a range."
    yield "It was 0 all the time the model learned from: what another value does is not known."
    yield "Its value now is not known."
    yield "Its range in the plant file lies outside what the model has seen (1 to 2)."
    yield advise._CAUTION.split("A person")[0].strip()


class registry:  # noqa: N801 (a context manager)
    """A registry: version 1 speaks, 2 is ready, 3 abstains."""

    def __enter__(self) -> Registry:
        self._folder = TemporaryDirectory()
        at = Path(self._folder.name)

        def card(bundle: Path) -> Card:
            number = int((bundle / "manifest.json").read_text())
            return replace(CARD, state="abstains" if number == 3 else "ready")

        self._open = Registry.open(at / "registry", lambda: 0, card, lambda: ["a/b/c/d/e"])
        found = self._open.__enter__()
        for number in (1, 2, 3):
            (at / str(number)).mkdir()
            (at / str(number) / "manifest.json").write_text(str(number))
            found.submit(at / str(number), "Anna")
        found.begin_with(found.state.version("dim", 1), "*")
        return found

    def __exit__(self, *problem: object) -> None:
        self._open.__exit__(*problem)  # type: ignore[arg-type]
        self._folder.cleanup()


SAYERS: Final = (the_gate, refused_steps, replays_and_drift, said_by_advice)
