"""What is written is true: commands exist, links lead somewhere, every key of the plant file is explained."""

from __future__ import annotations

import importlib.util
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    page
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("deploy/**/*.md")]
    if "node_modules" not in page.parts
]
README = (ROOT / "README.md").read_text()
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
# Written in halves, so that this file may be looked at too.
FORBIDDEN = [
    "/wo" + "rk/", "/ro" + "ot/", "py" + "pi.org", "registry.npm" + "js", "files.python" + "hosted", "docker" + ".io/",
]  # fmt: skip


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text()):
        if "://" not in target and not target.startswith("#"):
            assert (page.parent / target.partition("#")[0]).exists(), f"{page.name}: {target}"


def test_every_make_command_of_the_readme_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    used = set(re.findall(r"(?:^\$ |`)make ([a-z]+)", README, re.MULTILINE))
    assert {"demo", "test"} <= used <= targets


def test_every_shopfloor_command_of_the_readme_exists() -> None:
    from shopfloor.services.cli import COMMANDS

    used = set(re.findall(r"\.venv/bin/shopfloor ([a-z]+)", README))
    assert used
    assert used <= set(COMMANDS)


def test_every_key_of_the_plant_file_is_explained() -> None:
    spec = importlib.util.spec_from_file_location("plant_file_page", ROOT / "docs/plant_file.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    page = module.page()
    assert (ROOT / "docs/plant-file.md").read_text() == page, "run `make docs`"
    assert [line for line in page.splitlines() if line.endswith("|  |")] == []


def test_decisions_are_numbered_and_listed() -> None:
    names = sorted(path.name for path in (ROOT / "docs/decisions").glob("*.md"))
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
    index = (ROOT / "docs/README.md").read_text()
    assert all(f"decisions/{name}" in index for name in names)


def tracked() -> list[Path]:
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    return [ROOT / name for name in done.stdout.splitlines()]


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="this is no clone")
def test_no_file_names_a_package_host_or_this_machine() -> None:
    found = []
    for path in tracked():
        if path.exists() and path.suffix not in {".png", ".woff2", ".arrow", ".parquet"}:
            text = path.read_text("utf-8", errors="replace")
            found += [f"{path.relative_to(ROOT)}: {word}" for word in FORBIDDEN if word in text]
    assert found == []
