"""A registry of small bundles on a fleet of forty machines on four lines."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from shopfloor.services.registry import Card, Label, Policy, Prediction, Refused, Registry, Version

HOUR = 3_600 * 10**9
FLEET = [f"delta/frames/line-{line}/cell-a/m-{i:02d}" for line in range(4) for i in range(10)]
MACHINE = FLEET[0]
EVERYWHERE = "*"


def card(folder: Path) -> Card:
    """What a small bundle says of itself; one that says nothing is refused."""
    try:
        return Card(**json.loads((folder / "manifest.json").read_text()))
    except (OSError, ValueError, TypeError) as problem:
        raise Refused(f"no bundle: {problem}") from problem


def bundle(
    folder: Path, seed: int, kind: str = "regression", state: str = "ready", name: str = "life",
    target: str = "tool_life",
) -> Path:  # fmt: skip
    """A folder that stands for a sealed bundle; other seeds give other content."""
    at = folder / f"{name}-{seed}"
    at.mkdir(parents=True, exist_ok=True)
    said = {"name": name, "target": target, "title": "Tool life", "kind": kind, "unit": "min"}
    said |= {"coverage": 0.9, "trained_at": seed, "state": state}
    said |= {"alarm_level": 1.0, "alarms_per_day": 0.1} if kind == "distance" else {}
    (at / "manifest.json").write_text(json.dumps(said))
    (at / "arrays.npz").write_bytes(np.random.default_rng(seed).bytes(100))
    return at


@contextmanager
def opened(
    folder: Path, policy: Policy | None = None, clock: Callable[[], int] = time.time_ns
) -> Iterator[Registry]:  # fmt: skip
    """The registry in a folder."""
    with Registry.open(folder / "registry", clock, card, lambda: FLEET, policy) as registry:
        yield registry


def submitted(registry: Registry, folder: Path, several: int, **more: str) -> list[Version]:
    """Versions 1, 2, ... of which the first is the champion everywhere."""
    found = [registry.submit(bundle(folder, seed, **more), "test") for seed in range(1, several + 1)]
    registry.begin_with(found[0], EVERYWHERE)
    return found


def scored(
    registry: Registry, version: Version, off: float, n: int = 300, *, half: float = 2.0, latency_us: float = 50.0,
    assets: Sequence[str] = FLEET, first: int = 0, live: bool = False, seed: int = 1,
) -> None:  # fmt: skip
    """Windows 0.. of a version with errors of about `off`, intervals of +-`half` around them; the truth is 10."""
    rng = np.random.default_rng(seed)
    registry.scores.write(
        Prediction(
            version.name, version.number, version.sha, assets[i % len(assets)], (first + i) * HOUR, live,
            value := 10.0 + off * rng.normal(), value - half, value + half, latency_us, f"part-{first + i}",
        )
        for i in range(n)
    )  # fmt: skip


def true(registry: Registry, n: int = 300, first: int = 0, assets: Sequence[str] = FLEET, name: str = "life") -> None:
    """The truth of the windows: 10."""
    registry.scores.label(
        Label(name, assets[i % len(assets)], 10.0, 10.0, (first + i) * HOUR, f"part-{first + i}") for i in range(n)
    )
