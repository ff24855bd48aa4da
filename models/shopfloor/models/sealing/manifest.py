"""What a bundle says of itself, and the two hashes that say which bundle it is and that nothing of it was changed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Final

from pydantic import ConfigDict, TypeAdapter, ValidationError
from shopfloor.models.sealing.canonical import from_json, json_sha, sha256, to_json
from shopfloor.models.sealing.refused import RefusedBundle

FORMAT: Final = 3
"""The newest format. Format 2 has no step "mean of trees"; what can be said in it is sealed in it."""
_FORMATS: Final = (2, FORMAT)
_SINCE_3: Final = "mean of trees"
KINDS: Final = ("regression", "exceedance", "probability", "distance", "classes", "novelty")
_LARGEST: Final = 1024 * 1024
_MADE: Final = ("trained_at", "cpu_s", "sha", "seal")
_STRICT: Final = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SHA: Final = re.compile(r"[0-9a-f]{64}")
_WHOLE: Final = ("rows", "seed", "trained_at", "data_start", "data_end")
Plain = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a model comes from: a query or file and its hash, the rows, the code, the packages, the seeds."""

    source: str = ""
    source_sha: str = ""
    rows_sha: str = ""
    code_sha: str = ""
    lock_sha: str = ""
    seeds: list[int] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Budget:
    """What a model may cost: CPU microseconds for one row alone, megabytes of its files."""

    row_us: float = 10_000.0
    memory_mb: float = 64.0


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a bundle says of itself. `models` names the steps of each model, `spec` is the feature spec as JSON.

    `sha` is the bundle's identity: the SHA-256 of the manifest, which holds that of every file, without when and how
    fast it was trained. The same training gives the same `sha`. `seal` covers all of the manifest.
    """

    name: str
    target: str
    title: str
    asset_type: str
    kind: str  # one of KINDS
    unit: str
    features: list[str]
    coverage: float
    trained_at: int  # UTC ns
    data_start: int
    data_end: int
    rows: int
    cpu_s: float
    seed: int
    split: str
    state: str  # "ready" or "abstains"
    sentence: str
    metrics: list[dict[str, Plain]]
    settings: dict[str, float] = field(default_factory=dict)
    assets: list[str] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    models: dict[str, list[str]] = field(default_factory=dict)
    spec: dict[str, Any] = field(default_factory=dict)
    spec_sha: str = ""
    lineage: Lineage = field(default_factory=Lineage)
    budget: Budget = field(default_factory=Budget)
    card: str = ""
    files: dict[str, str] = field(default_factory=dict)
    format: int = 2
    sha: str = ""
    seal: str = ""

    __pydantic_config__ = _STRICT


Lineage.__pydantic_config__ = Budget.__pydantic_config__ = _STRICT  # type: ignore[attr-defined]
_FORM: Final = TypeAdapter(Manifest)


def signed(manifest: Manifest, files: Mapping[str, bytes]) -> tuple[Manifest, bytes]:
    """The manifest with the hashes of its files, its identity and its seal; and its bytes."""
    hashes = {name: sha256(data) for name, data in sorted(files.items())}
    named = replace(manifest, files=hashes, spec_sha=json_sha(manifest.spec), format=_format(manifest), sha="", seal="")
    content = asdict(named)
    content["sha"] = _identity(content)
    content["seal"] = _seal(content)
    return replace(named, sha=content["sha"], seal=content["seal"]), to_json(content)


def read_manifest(data: bytes, name: str) -> Manifest:
    """The manifest of the bundle `name`; raises `RefusedBundle`."""
    content = _content(data, name)
    if content.get("format") not in _FORMATS:
        raise RefusedBundle(
            f"The bundle {name} is of format {content.get('format')!r:.20}, this version reads"
            f" {' and '.join(map(str, _FORMATS))}: train again."
        )
    _check_complete(content, name)
    try:
        manifest = _FORM.validate_json(data)
    except ValidationError as problem:
        first = problem.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise RefusedBundle(
            f"The manifest of the bundle {name} is wrong at {where:.80} ({first['msg']}): train again."
        ) from None
    _check_values(manifest, name)
    hashes = {"seal": _seal(content), "sha": _identity(content), "spec_sha": json_sha(manifest.spec)}
    for field_name, right in hashes.items():
        if getattr(manifest, field_name) != right:
            raise RefusedBundle(f"The manifest of the bundle {name} was changed after sealing ({field_name}).")
    return manifest


def _content(data: bytes, name: str) -> dict[str, Any]:
    if not data:
        raise RefusedBundle(f"The bundle {name} has no manifest.json: copy it again, or train again.")
    try:
        content = from_json(data) if len(data) <= _LARGEST else "too large"
    except ValueError as problem:
        if b'"format": 1' in data:
            return {"format": 1}
        raise RefusedBundle(f"The manifest of the bundle {name} cannot be read ({problem}): train again.") from None
    if not isinstance(content, dict):
        raise RefusedBundle(f"The manifest of the bundle {name} is no JSON object of at most 1 MB: train again.")
    return content


def _check_complete(content: dict[str, Any], name: str) -> None:
    for kind, held in ((Manifest, content), (Lineage, content.get("lineage")), (Budget, content.get("budget"))):
        missing = {known.name for known in fields(kind)} - set(held if isinstance(held, dict) else ())
        if missing:
            raise RefusedBundle(
                f"The manifest of the bundle {name} lacks {', '.join(sorted(missing)):.99}: train again."
            )


def _check_values(m: Manifest, name: str) -> None:
    budget = (0 < m.budget.row_us <= Budget().row_us) and (0 < m.budget.memory_mb <= Budget().memory_mb)
    hashes = [getattr(m.lineage, kept.name) for kept in fields(Lineage) if kept.name.endswith("_sha")]
    checks = {
        "kind": m.kind in KINDS,
        "format": m.format == _format(m),
        "state": m.state in ("ready", "abstains"),
        "features": 0 < len(m.features) == len(set(m.features)),
        "coverage": 0.0 < m.coverage < 1.0,
        "name": bool(_NAME.fullmatch(m.name)),
        "target": bool(_NAME.fullmatch(m.target)),
        "cpu_s": m.cpu_s >= 0.0,
        "rows": m.data_start <= m.data_end,
        "classes": _classes_fit(m) and len(m.classes) == len(set(m.classes)),
        "lineage": all(not sha or _SHA.fullmatch(sha) for sha in hashes),
        **{number: 0 <= getattr(m, number) < 2**63 for number in _WHOLE},
        "budget": budget,
    }
    for what, holds in checks.items():
        if not holds:
            raise RefusedBundle(f"The manifest of the bundle {name} has an impossible value in {what}: train again.")


def _format(m: Manifest) -> int:
    """The oldest format that can say it."""
    return FORMAT if any(_SINCE_3 in steps for steps in m.models.values()) else 2


def _classes_fit(m: Manifest) -> bool:
    count = len(m.classes)
    return count > 2 if m.kind == "classes" else count == 0 or (count == 2 and m.kind == "probability")


def _identity(content: Mapping[str, Any]) -> str:
    return sha256(to_json({k: v for k, v in content.items() if k not in _MADE}))


def _seal(content: Mapping[str, Any]) -> str:
    return sha256(to_json({k: v for k, v in content.items() if k != "seal"}))
