"""How an uploaded bundle begins: beside what speaks, never in its place."""

from __future__ import annotations

from dataclasses import dataclass

from shopfloor.services.registry.registry import Registry
from shopfloor.services.registry.scope import scope
from shopfloor.services.registry.words import Refused, Stage, Version, person


@dataclass(frozen=True, slots=True)
class Arrived:
    """A version, where it was placed, its stage there, and what happens now, in a sentence."""

    version: Version
    scope: str
    stage: Stage
    sentence: str


def arrive(registry: Registry, content: bytes, where: str, by: str, why: str) -> Arrived:
    """Take the bytes of a `.shopfloor` file: a shadow on a scope, and proposed where its name is known already.

    A bundle that is not whole raises `RefusedBundle`; a scope without assets, or nobody's name, `Refused`.
    """
    where, by = scope(where), person(by)
    if not registry.assets(where):
        raise Refused(f"No asset of this plant lies in the scope {where}: write a path of assets or its beginning.")
    with registry.bundles.arrived(content) as file:
        version = registry.submit(file, by, why)
    name, number = version.name, version.number
    if not version.card.live:
        said = "It names no tags that it could be judged by, so it stays a candidate: ask it with rows of features."
        return Arrived(version, where, Stage.CANDIDATE, said)
    if registry.state.place(name, where).stage(number) in (Stage.CANDIDATE, Stage.RETIRED):
        registry.shadow(name, number, where, by, why, propose=number > 1)
    stage = registry.state.place(name, where).stage(number)
    return Arrived(version, where, stage, _sentence(version, where, stage))


def _sentence(version: Version, where: str, stage: Stage) -> str:
    if version.card.state != "ready":
        return f"Version {version.number} of {version.name} abstains: nothing will be scored by it."
    if stage is Stage.CHAMPION:
        return f"Version {version.number} of {version.name} speaks on {where} already."
    return f"Version {version.number} of {version.name} is judged on {where} as a shadow: promote it when it has shown."
