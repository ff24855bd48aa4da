"""The registry: versions and stages of models, what is known of them, and the steps of their life."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from shopfloor.services.api.apart import Apart
from shopfloor.services.api.life import (
    NAME_LENGTH,
    AuditView,
    Counted,
    EventView,
    EvidenceView,
    LabelPost,
    ModelLife,
    Nothing,
    Promotion,
    Said,
    Step,
    VersionStep,
)
from shopfloor.services.api.needs import changed, needs
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.wire import ERRORS, NO_JSON, NOT_FOUND, answer
from shopfloor.services.registry import Card, Event, Label, Registry, Version
from shopfloor.services.registry.audit import verify
from shopfloor.services.registry.scope import scope as clean
from shopfloor.services.registry.told import label_of, span_of
from shopfloor.services.registry.words import SYSTEM, Place, person
from shopfloor.services.security.rights import Right
from starlette.responses import Response

Name = Annotated[str, Path(max_length=NAME_LENGTH)]


def router(registry: Registry, train_again: Callable[[], str], apart: Apart) -> APIRouter:
    """`GET registry` with its evidence, events and audit, and the `POST`s that move a version."""
    routes = Routes(tags=["registry"], responses=ERRORS | NOT_FOUND, dependencies=[needs(Right.SEE)])
    _add_reads(routes, registry)
    _add_steps(routes, registry, apart)

    @routes.post("/registry/train", dependencies=[needs(Right.PROPOSE)], response_model=Said, responses=NO_JSON)
    def train(_: Nothing) -> Response:
        """Learn anew from the newest history, in the background; what comes of it is proposed."""
        return answer({"sentence": train_again()})

    @routes.post(
        "/registry/{name}/labels", dependencies=[needs(Right.LABEL)], response_model=Counted, responses=NO_JSON
    )
    def label(request: Request, name: Name, said: list[LabelPost]) -> Response:
        """Tell what turned out to be true, whenever it is known."""
        card = registry.state.version(name, 1).card
        registry.scores.label([_label(card, one, registry.clock()) for one in said])
        kept = {"kept": len(said)}
        changed(request, None, kept)
        return answer(kept)

    return routes


def _add_reads(routes: APIRouter, registry: Registry) -> None:
    @routes.get("/registry", response_model=list[ModelLife])
    def get_models() -> Response:
        """List the models with their versions, and which of them holds where."""
        return answer([_life(registry, name) for name in sorted(registry.state.versions)])

    @routes.get("/registry/audit", response_model=AuditView)
    def get_audit() -> Response:
        """Check the audit: every row, their order, and the end."""
        fault, (number, sha) = verify(registry.audit.folder)
        sentence = fault or f"The audit is whole: {number} events."
        return answer({"whole": not fault, "sentence": sentence, "events": number, "head": f"{number}:{sha}"})

    @routes.get("/registry/{name}/evidence", response_model=EvidenceView)
    def get_evidence(
        name: Name, number: Annotated[int, Query(ge=1)], scope: Annotated[str, Query(max_length=300)] = "*"
    ) -> Response:
        """Compare a version with the one that it would replace, and see which conditions of a promotion hold."""
        version = registry.state.version(name, number)
        evidence = registry.evidence(name, number, scope)
        held = [asdict(condition) for condition in registry.conditions(version, evidence)]
        return answer({**asdict(evidence), "conditions": held})

    @routes.get("/registry/{name}/events", response_model=list[EventView])
    def get_events(name: Name, most: Annotated[int, Query(ge=1, le=1_000)] = 50) -> Response:
        """List what happened to a model, the newest first."""
        registry.state.version(name, 1)
        found = [event for event in registry.state.events if event.name == name]
        return answer([_event(event) for event in reversed(found[-most:])])


def _add_steps(routes: APIRouter, registry: Registry, apart: Apart) -> None:
    """Each step answers the event that it has become in the audit."""
    plain: dict[str, Any] = {"response_model": EventView, "responses": NO_JSON}

    @routes.post("/registry/{name}/promote", dependencies=[needs(Right.PROMOTE)], **plain)
    def promote(request: Request, name: Name, said: Promotion) -> Response:
        """Make a version the champion of a scope, where the gate's conditions hold."""
        by = _by(request, said)
        apart(request, registry, name, said.number)
        done = registry.promote(name, said.number, said.scope, by, said.why, override=said.override)
        return _done(request, done)

    @routes.post("/registry/{name}/approve", dependencies=[needs(Right.PROMOTE)], **plain)
    def approve(request: Request, name: Name, said: Step) -> Response:
        """Promote what is proposed on a scope."""
        apart(request, registry, name, registry.state.place(name, clean(said.scope)).proposed)
        return _done(request, registry.approve(name, said.scope, _by(request, said), said.why))

    @routes.post("/registry/{name}/rollback", dependencies=[needs(Right.PROMOTE)], **plain)
    def roll_back(request: Request, name: Name, said: Step) -> Response:
        """Let the champion before this one speak again, or stop what spreads."""
        return _done(request, registry.roll_back(name, said.scope, _by(request, said), said.why))

    @routes.post("/registry/{name}/rollout", dependencies=[needs(Right.PROMOTE)], **plain)
    def roll_out(request: Request, name: Name, said: Promotion) -> Response:
        """Spread a version over a scope in waves: one line, 10 %, 50 %, all."""
        by = _by(request, said)
        apart(request, registry, name, said.number)
        done = registry.roll_out(name, said.number, said.scope, by, said.why, override=said.override)
        return _done(request, done)

    @routes.post("/registry/{name}/wave", dependencies=[needs(Right.PROMOTE)], **plain)
    def wave(request: Request, name: Name, said: Step) -> Response:
        """Let what spreads over a scope come to its next wave; after the last one it is the champion."""
        spreads = registry.state.place(name, clean(said.scope)).rollout
        apart(request, registry, name, spreads.number if spreads else None)
        return _done(request, registry.next_wave(name, said.scope, _by(request, said), said.why))

    @routes.post("/registry/{name}/shadow", dependencies=[needs(Right.SHADOW)], **plain)
    def shadow(request: Request, name: Name, said: VersionStep) -> Response:
        """Score a version beside the champion, without showing what it says."""
        return _done(request, registry.shadow(name, said.number, said.scope, _by(request, said), said.why))

    @routes.post("/registry/{name}/retire", dependencies=[needs(Right.PROMOTE)], **plain)
    def retire(request: Request, name: Name, said: VersionStep) -> Response:
        """Take a version out of use on a scope."""
        return _done(request, registry.retire(name, said.number, said.scope, _by(request, said), said.why))


def _done(request: Request, event: Event) -> Response:
    """The event that a step became, which is also what the audit of writes notes."""
    changed(request, event.before, event.after)
    return answer(_event(event))


def _by(request: Request, said: Step) -> str:
    """The person as given; on a server that asks for tokens, with the name of the token that was shown."""
    caller = str(request.scope.get("state", {}).get("caller", "local"))
    named = said.by.strip()
    if caller == "local" or named.lower().startswith(SYSTEM):
        return person(named)
    return f"{named} ({caller})" if named else person(caller)


def _life(registry: Registry, name: str) -> dict[str, Any]:
    versions = registry.state.versions[name]
    card = versions[-1].card
    places = registry.state.places.get(name, {})
    shown = [_place(text, places[text], registry.alarms.get((name, text), "")) for text in sorted(places)]
    return {
        "name": name,
        "title": card.title,
        "target": card.target,
        "versions": [_version(version) for version in reversed(versions)],
        "places": shown,
    }


def _version(version: Version) -> dict[str, Any]:
    card = version.card
    told = {"number": version.number, "sha": version.sha, "identity": card.identity, "by": version.by}
    return {**told, "time": version.time / 1e6, "trained_at": card.trained_at / 1e6, "state": card.state}


def _place(text: str, place: Place, alarm: str) -> dict[str, Any]:
    said = place.to_json()
    rollout = {**said["rollout"], "since": said["rollout"]["since"] / 1e6} if said["rollout"] else None
    return {**said, "scope": clean(text), "since": place.since / 1e6, "rollout": rollout, "alarm": alarm}


def _event(event: Event) -> dict[str, Any]:
    return {**asdict(event), "time": event.time / 1e6}


def _label(card: Card, said: LabelPost, now: int) -> Label:
    span = span_of(card, said.low, said.high, said.truth)
    return label_of(card, said.asset, span, now, said.part, round(said.start * 1e6), round(said.end * 1e6))
