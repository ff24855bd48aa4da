"""The registry: which version of a model holds where, since when, by whom and why.

Versions are sealed bundles, kept by the address of their content. What holds is the fold of the events of the audit.
A promotion is an event and a changed pointer: no model is loaded for it, none is for a rollback.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from shopfloor.plant import chain
from shopfloor.plant.errors import ShopfloorError, StoreError
from shopfloor.services.registry import moves
from shopfloor.services.registry.audit import Audit, verify
from shopfloor.services.registry.bundles import Bundles, address
from shopfloor.services.registry.gate import Evidence, Policy, conditions, gathered
from shopfloor.services.registry.names import fits
from shopfloor.services.registry.scope import covers, matching, scope
from shopfloor.services.registry.scores import Scores
from shopfloor.services.registry.state import State, submission
from shopfloor.services.registry.unlabelled import Alarmed
from shopfloor.services.registry.waves import first_line
from shopfloor.services.registry.words import (
    SYSTEM,
    Card,
    Condition,
    Deployment,
    Event,
    Place,
    Refused,
    Stage,
    Version,
    person,
    reason,
)

Check = Callable[[Path], Card]
Fleet = Callable[[], Sequence[str]]


@dataclass(slots=True)
class Registry:
    """The models of a server. Any thread may ask and act; an action is on disk when it returns.

    `check` opens a bundle and answers its card, or refuses it in one sentence; `fleet` names all assets.
    """

    audit: Audit
    bundles: Bundles
    scores: Scores
    clock: Callable[[], int]
    check: Check
    fleet: Fleet
    policy: Policy
    fault: str
    state: State = field(default_factory=State)
    alarmed: Alarmed = lambda *_: ()
    """What alarms of the plant came on which assets: evidence where there is no truth."""
    alarms: dict[tuple[str, str], str] = field(default_factory=dict)
    """By name and scope: what is wrong with a champion that has nothing to go back to."""
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _known: dict[tuple[str, str], Deployment] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def open(
        cls, folder: Path, clock: Callable[[], int], check: Check, fleet: Fleet = tuple, policy: Policy | None = None
    ) -> Iterator[Self]:
        """Open the registry in a folder. An audit that is not whole is read, and nothing is added to it."""
        with Audit.open(folder) as audit, Scores.open(folder) as scores:
            fault, _ = verify(folder)
            policy = policy or Policy()
            registry = cls(audit, Bundles(folder / "bundles"), scores, clock, check, fleet, policy, fault)
            registry.bundles.tidy()
            for entry in audit.entries():
                registry.state.take(entry)
            if not fault:
                audit.note()
            yield registry

    @property
    def revision(self) -> int:
        """A number that grows with everything that changes here, when the change holds."""
        return len(self.state.events)

    def submit(self, bundle: Path, by: str, why: str = "") -> Version:
        """Take a bundle, a folder or a file, as the next version of its name; the same content is the same version.

        >>> from tempfile import TemporaryDirectory
        >>> card = Card("life", "tool_life", "Tool life", "regression", "min", 0.9, 0, "ready")
        >>> with TemporaryDirectory() as at, Registry.open(Path(at) / "r", lambda: 0, lambda _: card) as registry:
        ...     (Path(at) / "bundle").mkdir()
        ...     _ = (Path(at) / "bundle" / "manifest.json").write_text("{}")
        ...     one = registry.submit(Path(at) / "bundle", "anna")
        ...     _ = registry.begin_with(one, "*")
        ...     live = registry.resolve("life", "a/b/c/d/m-1").live
        >>> live is not None and (live.name, live.number)
        ('life', 1)
        """
        with self._lock, self.bundles.as_folder(bundle) as folder:
            sha = address(folder)
            known = next((v for several in self.state.versions.values() for v in several if v.sha == sha), None)
            if known is not None:
                return known
            fits(self.check(folder), [several[0] for several in self.state.versions.values()])
            card = self._checked(self.bundles.take(folder))
            number = len(self.state.versions.get(card.name, ())) + 1
            self._append("submitted", card.name, number, by, why, detail=submission(sha, card))
            return self.state.version(card.name, number)

    def resolve(self, name: str, asset: str) -> Deployment:
        """Who serves an asset; the most specific scope wins. Cheap: asked for every asset at every tick."""
        found = self._known.get((name, asset))
        if found is None:
            known = self._known
            found = known[name, asset] = self.state.resolve(name, asset)
        return found

    def is_placed(self, name: str, number: int) -> bool:
        """Whether a version has, or had, a stage on any scope."""
        places = self.state.places.get(name, {}).values()
        return any(number in place.before or place.stage(number) is not Stage.CANDIDATE for place in places)

    def begin_with(self, version: Version, where: str) -> Event | None:
        """Rule of the first model: where no version of its name speaks yet, it does. None when one speaks."""
        with self._lock:
            if any(place.champion for place in self.state.places.get(version.name, {}).values()):
                return None
            where = scope(where)
            after = moves.promoted(self.state.place(version.name, where), version.number, self.clock())
            why = "Nothing was there before."
            return self._move("champion", version, where, f"{SYSTEM}: first model", why, after)

    def replace_damaged(self, version: Version, where: str, why: str) -> Event:
        """Rule of the damaged bundle: where the champion cannot be opened, a new version speaks."""
        with self._lock:
            after = moves.promoted(self.state.place(version.name, scope(where)), version.number, self.clock())
            return self._move("champion", version, scope(where), f"{SYSTEM}: damaged bundle", why, after)

    def shadow(self, name: str, number: int, where: str, by: str, why: str, *, propose: bool = False) -> Event:
        """Score and store a version beside the champion; `propose` asks a person to approve it."""
        with self._lock:
            version, where = self.state.version(name, number), scope(where)
            after = moves.shadowed(self.state.place(name, where), number)
            if propose:
                after = moves.proposed(after, number)
            return self._move("proposed" if propose else "shadow", version, where, by, why, after)

    def promote(self, name: str, number: int, where: str, by: str, why: str, *, override: bool = False) -> Event:
        """Make a version the champion of a scope. A named person does this, and the gate's conditions hold.

        What fails is refused in one sentence. With `override` it is done all the same, and both are in the audit.
        """
        with self._lock:
            version, where = self.state.version(name, number), scope(where)
            by, why = person(by), reason(why) if override else why.strip()
            detail = self._through_gate(version, where, override=override)
            after = moves.promoted(self.state.place(name, where), number, self.clock())
            return self._move("champion", version, where, by, why, after, detail)

    def approve(self, name: str, where: str, by: str, why: str) -> Event:
        """Promote what is proposed on a scope."""
        with self._lock:
            number = self.state.place(name, scope(where)).proposed
            if number is None:
                raise Refused(f"Nothing of {name} is proposed on {scope(where)}: promote a version by its number.")
            return self.promote(name, number, where, by, why)

    def roll_out(self, name: str, number: int, where: str, by: str, why: str, *, override: bool = False) -> Event:
        """Begin to spread a version over a scope in waves; the gate's conditions hold, as for a promotion."""
        with self._lock:
            version, where = self.state.version(name, number), scope(where)
            by, why = person(by), reason(why) if override else why.strip()
            detail = self._through_gate(version, where, override=override)
            line = first_line(f"{name} {number}", self.assets(where))
            after = moves.begun(self.state.place(name, where), number, line, by, self.clock())
            return self._move("rollout", version, where, by, why, after, detail)

    def next_wave(self, name: str, where: str, by: str, why: str) -> Event:
        """The next wave of what spreads over a scope, with a reason; after the last one it is the champion."""
        with self._lock:
            by = by if by.startswith(SYSTEM) else person(by)
            place = self.state.place(name, scope(where))
            after = moves.next_wave(place, self.clock())
            number = place.rollout.number if place.rollout else 0
            what = "wave" if after.rollout else "champion"
            return self._move(what, self.state.version(name, number), scope(where), by, reason(why), after)

    def roll_back(self, name: str, where: str, by: str, why: str) -> Event:
        """Take the newest version off a scope: what spreads stops, else the champion before it speaks again."""
        with self._lock:
            where, place = scope(where), self.state.place(name, scope(where))
            by = by if by.startswith(SYSTEM) else person(by)
            number, after = moves.rolled_back(place, self.clock(), wider=self._has_wider(name, where))
            return self._move("rolled back", self.state.version(name, number), where, by, reason(why), after)

    def retire(self, name: str, number: int, where: str, by: str, why: str) -> Event:
        """Take a version out of use on a scope."""
        with self._lock:
            version, where = self.state.version(name, number), scope(where)
            after = moves.retired(self.state.place(name, where), number)
            return self._move("retired", version, where, person(by), reason(why), after)

    def replayed(self, name: str, number: int, by: str, found: Mapping[str, Any]) -> Event:
        """Keep what came of a replay in the audit; a promotion names the newest one of its version."""
        with self._lock:
            return self._append("replayed", self.state.version(name, number).name, number, by, "", detail=found)

    def evidence(self, name: str, number: int, where: str, *, since: int = 0) -> Evidence:
        """What is known of a version on a scope, beside the version that it would replace."""
        version, where = self.state.version(name, number), scope(where)
        return self.compared(version, self.incumbent(name, number, where), where, since)

    def compared(self, version: Version, against: int | None, where: str, since: int = 0) -> Evidence:
        """The evidence of a version beside another, of windows that ended at or after `since` (UTC ns)."""
        return gathered(self.scores, version, against, where, self.policy, since=since, alarmed=self.alarmed)

    def conditions(self, version: Version, evidence: Evidence) -> list[Condition]:
        """The conditions of the gate on this evidence; none where nothing speaks that could be lost."""
        if evidence.against is None:
            return []
        return conditions(version.card, evidence, self.policy)

    def incumbent(self, name: str, number: int, where: str) -> int | None:
        """The version that speaks for most assets of a scope, this one and those that abstain left out."""
        rollout = self.state.place(name, where).rollout
        champion = self.state.place(name, where).champion
        if champion is None or champion == number:
            found = [self.resolve(name, asset).live for asset in self.assets(where)]
            spoken = Counter(v.number for v in found if v is not None and v.number != number)
            champion = spoken.most_common(1)[0][0] if spoken else None
            if champion is None and self.state.place(name, where).champion == number:
                champion = next(iter(self.state.place(name, where).before[-1:]), None)
        if rollout is not None and champion == rollout.number:
            champion = None
        if champion is None or self.state.version(name, champion).card.state != "ready":
            return None
        return champion

    def assets(self, where: str) -> list[str]:
        """The assets of a scope."""
        return [asset for asset in self.fleet() if covers(where, asset)]

    def _through_gate(self, version: Version, where: str, *, override: bool) -> Mapping[str, Any]:
        """The evidence as it is kept in the audit; raises `Refused` with what fails."""
        if self.state.place(version.name, where).champion == version.number:
            raise Refused(f"Version {version.number} of {version.name} is the champion on {where} already.")
        if version.card.state != "ready":
            raise Refused(f"Version {version.number} of {version.name} abstains: there is nothing to promote.")
        evidence = self.evidence(version.name, version.number, where)
        failing = [c for c in self.conditions(version, evidence) if not c.holds]
        if failing and not override:
            missing = "; ".join(condition.sentence for condition in failing)
            raise Refused(f"Version {version.number} of {version.name} is not promoted on {where}: {missing}.")
        replays = [e.sequence for e in self.state.of(version.name, version.number) if e.what == "replayed"]
        overridden = [condition.name for condition in failing]
        return {"evidence": asdict(evidence), "overridden": overridden, "replay": replays[-1] if replays else None}

    def _has_wider(self, name: str, where: str) -> bool:
        """Whether another scope speaks for the assets here."""
        places = self.state.places.get(name, {})
        others = [text for text, place in places.items() if text != where and place.champion is not None]
        assets = self.assets(where)
        return bool(assets) and all(matching(others, asset) for asset in assets)

    def _checked(self, sha: str) -> Card:
        try:
            return self.check(self.bundles.at(sha))
        except ShopfloorError:
            shutil.rmtree(self.bundles.at(sha), ignore_errors=True)
            raise

    def _move(
        self, what: str, version: Version, where: str, by: str, why: str, after: Place,
        detail: Mapping[str, Any] | None = None,
    ) -> Event:  # fmt: skip
        before = self.state.place(version.name, where)
        return self._append(
            what, version.name, version.number, by, why, scope=where, before=before, after=after, detail=detail
        )

    def _append(self, what: str, name: str, number: int, by: str, why: str, **more: Any) -> Event:
        if self.fault:
            raise StoreError(f"The audit is not whole, so nothing is added to it: {self.fault} Restore a backup.")
        body = {"time": self.clock(), "what": what, "name": name, "number": number, "by": by, "why": why, "scope": ""}
        body |= {key: value.to_json() if isinstance(value, Place) else value for key, value in more.items()}
        event = self.state.take((self.audit.append(body), json.loads(chain.text(body))))
        self._known = {}
        return event
