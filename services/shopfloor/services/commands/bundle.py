"""`shopfloor bundle`: prove a sealed model, show what it says of itself, write it as one file or as a folder."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from shopfloor.models.bundle import Bundle, Manifest, RefusedBundle, export, load
from shopfloor.models.sealing.golden import row_us


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    parser.add_argument("action", choices=("verify", "show", "export"), help="what to do")
    parser.add_argument("path", type=Path, metavar="PATH", help="a bundle: a folder or a .shopfloor file")
    parser.add_argument(
        "target", type=Path, nargs="?", metavar="TARGET", help="export: where to; a name in .shopfloor gives one file"
    )


def run(args: argparse.Namespace) -> int:
    """Every action proves the bundle first; 1 and one sentence when it is refused."""
    try:
        start = time.perf_counter()
        bundle = load(args.path)
        took = time.perf_counter() - start
    except RefusedBundle as problem:
        sys.stdout.write(f"{problem}\n")
        return 1
    if args.action == "export":
        return _export(args.path, args.target or args.path.with_suffix(".shopfloor"))
    for line in _shown(bundle.manifest) if args.action == "show" else _proved(bundle, took):
        sys.stdout.write(f"{line}\n")
    return 0


def _export(source: Path, target: Path) -> int:
    if target.exists():
        raise RefusedBundle(f"{target} exists: name another place, or remove it first.")
    sys.stdout.write(f"{export(source, target)}\n")
    return 0


def _proved(bundle: Bundle, took: float) -> Iterator[str]:
    m = bundle.manifest
    nodes = sum(forest.nodes for p in bundle.programs.values() for step in p.steps for forest in step.forests)
    yield f"ok: {m.name} {m.sha}"
    yield f"{len(m.files)} files, {bundle.size / 1e6:.2f} MB of {m.budget.memory_mb:g} MB; {nodes} nodes of trees"
    row = min(row_us(bundle) for _ in range(5))
    yield f"{len(bundle.arrays['golden'])} golden rows answered as sealed; one row alone takes {row:.0f} us of CPU time"
    yield f"read and proved in {took * 1e3:.1f} ms"


def _shown(m: Manifest) -> Iterator[str]:
    """The manifest in lines for a person."""
    yield f"{m.title} ({m.name}), {m.kind}, {m.state}"
    yield f"identity    {m.sha}"
    yield f"trained     {_moment(m.trained_at)} in {m.cpu_s:g} s of CPU, seeds {m.lineage.seeds or [m.seed]}"
    yield f"data        {_moment(m.data_start)} to {_moment(m.data_end)}, {m.rows} rows, {m.lineage.source}"
    yield f"split       {m.split or 'not told'}"
    yield from (f"score       {_score(metric)}" for metric in m.metrics)
    yield f"features    {len(m.features)}: {', '.join(m.features[:6])}{', …' if len(m.features) > 6 else ''}"
    yield f"spec        {m.spec_sha}"
    yield f"rows        {m.lineage.rows_sha or 'not told'}"
    yield f"code        {m.lineage.code_sha or 'not told'}"
    packages = [f"{name} {held}" for name, held in sorted(m.lineage.versions.items())]
    yield f"packages    {', '.join(packages) or 'not told'}"
    yield from (f"model       {name}: {', '.join(steps)}" for name, steps in sorted(m.models.items()))
    yield from (f"file        {name} {sha}" for name, sha in sorted(m.files.items()))
    yield from (f"card        {line}" for line in m.card.splitlines())
    if m.sentence:
        yield m.sentence


def _score(metric: dict[str, str | int | float | bool | None]) -> str:
    beside = f", {metric['baseline_name']} {metric['baseline']}" if metric.get("baseline") is not None else ""
    return f"{metric.get('name')} {metric.get('value')} {metric.get('unit') or ''}".rstrip() + beside


def _moment(ns: int) -> str:
    return datetime.fromtimestamp(ns // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M") if ns else "not told"
