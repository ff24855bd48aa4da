"""An edge computer, for tests: a virtual environment that holds the wheel with its `gateway` extra and nothing more."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")
PINS = ["--constraint", str(ROOT / "requirements.lock")]


def run(*command: str | Path, folder: Path | None = None, seconds: float = 240) -> subprocess.CompletedProcess[str]:
    """Run a command with a clean environment; its output is in the assertion when it fails."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "SHOPFLOOR", "VIRTUAL"))}
    env = {**kept, "SHOPFLOOR_SKIP_DASHBOARDS": "1", "UV_PYTHON_DOWNLOADS": "never"}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, f"{command} answered {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done


def build_wheel(folder: Path) -> Path:
    """The wheel of this tree, as it stands; the pages are not compiled anew."""
    if UV.exists():
        run(UV, "build", "--quiet", "--wheel", "--python", sys.executable, "--out-dir", folder, ROOT)
    else:
        run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT)
    return next(folder.glob("*.whl"))


@dataclass(frozen=True)
class Edge:
    """The environment below `folder`."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin/python"

    @property
    def shopfloor(self) -> Path:
        return self.folder / "bin/shopfloor"

    @classmethod
    def install(cls, folder: Path, wheel: Path) -> Edge:
        """Make the environment; packages come from the cache of uv or pip when they are there."""
        edge = cls(folder)
        if UV.exists():
            run(UV, "venv", "--quiet", "--python", sys.executable, folder)
            run(UV, "pip", "install", "--quiet", "--python", edge.python, *PINS, f"{wheel}[gateway]")
        else:
            run(sys.executable, "-m", "venv", folder)
            run(edge.python, "-m", "pip", "install", "--quiet", *PINS, f"{wheel}[gateway]")
        return edge
