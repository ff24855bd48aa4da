"""The house keeps its shape: layers, namespace roots, and the wheel."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
import zipfile
from email import message_from_string
from pathlib import Path
from typing import Any

import pytest
from edge import ROOT, build_wheel

ROOTS = ("plant", "gateway", "models", "services", "simulators", "dashboards")
LINTER = Path(sys.executable).with_name("lint-imports")
STATIC = ROOT / "dashboards/shopfloor/dashboards/static"


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    return zipfile.ZipFile(build_wheel(tmp_path_factory.mktemp("wheel")))


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    path = [str(folder / root) for root in ROOTS]
    code = f"import sys; sys.path[:0] = {path!r}; from importlinter.cli import lint_imports_command as l; l()"
    command = [sys.executable, "-c", code, "--no-cache", "--config", str(folder / "pyproject.toml")]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)


def test_the_layers_hold() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_violation_is_seen(tmp_path: Path) -> None:
    """The same contracts, on a copy in which the gateway imports the server."""
    for root in ROOTS:
        shutil.copytree(
            ROOT / root / "shopfloor", tmp_path / root / "shopfloor", ignore=shutil.ignore_patterns("static")
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "gateway/shopfloor/gateway/wrong.py").write_text("import shopfloor.services\nimport duckdb\n")
    done = lint(tmp_path)
    assert done.returncode != 0
    assert "Data flows one way" in done.stdout
    assert "shopfloor.gateway.wrong -> shopfloor.services" in done.stdout
    assert "shopfloor.gateway.wrong -> duckdb" in done.stdout


def test_nobody_hides_the_other_roots() -> None:
    assert [root for root in ROOTS if (ROOT / root / "shopfloor/__init__.py").exists()] == []


def test_every_root_is_in_every_list(project: dict[str, Any]) -> None:
    tool = project["tool"]
    assert set(tool["hatch"]["build"]["dev-mode-dirs"]) == set(ROOTS)
    assert set(tool["hatch"]["build"]["targets"]["wheel"]["sources"]) == set(ROOTS)
    assert set(tool["mypy"]["mypy_path"]) == set(ROOTS)
    assert {path.parent.name for path in ROOT.glob("*/shopfloor")} == set(ROOTS)


def test_the_wheel_holds_every_module_of_every_root(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    for root in ROOTS:
        sources = {str(path.relative_to(ROOT / root)) for path in (ROOT / root / "shopfloor").rglob("*.py")}
        assert sources <= names
        assert f"shopfloor/{root}/py.typed" in names
    assert "shopfloor/services/plants/demo.yaml" in names
    assert "shopfloor/__init__.py" not in names


def test_the_wheel_holds_nothing_else(wheel: zipfile.ZipFile) -> None:
    top = {name.partition("/")[0] for name in wheel.namelist()}
    assert {name for name in top if not name.endswith(".dist-info")} == {"shopfloor"}
    assert not [name for name in wheel.namelist() if "node_modules" in name or name.endswith(".pyc")]


@pytest.mark.skipif(not STATIC.exists(), reason="the pages are not compiled")
def test_the_wheel_holds_the_compiled_pages(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    assert "shopfloor/dashboards/static/index.html" in names
    assert any(name.endswith(".js") for name in names if "/static/" in name)


def test_the_wheel_says_what_it_is(wheel: zipfile.ZipFile) -> None:
    text = wheel.read(next(name for name in wheel.namelist() if name.endswith("/METADATA"))).decode()
    meta = message_from_string(text)
    assert meta["License-Expression"] == "Apache-2.0"
    assert meta["Requires-Python"] == ">=3.11"
    assert {"gateway", "server", "models", "simulators", "demo", "dev"} <= set(meta.get_all("Provides-Extra", []))
    always = [line for line in meta.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert len(always) <= 5, always
    assert any(name.endswith("licenses/LICENSE") for name in wheel.namelist())


def test_connectors_are_found_by_their_entry_points(wheel: zipfile.ZipFile) -> None:
    text = wheel.read(next(name for name in wheel.namelist() if name.endswith("/entry_points.txt"))).decode()
    assert "shopfloor = shopfloor.services.cli:main" in text
    assert all(f"{kind} = shopfloor.gateway.{kind}:CONNECTOR" in text for kind in ("opcua", "mqtt", "recording"))
