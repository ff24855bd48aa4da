"""Where peers are installed: each in a folder of its own below the user's cache, with pinned versions."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shopfloor.plant import ShopfloorError

_PEERS: Final = Path(__file__).with_name("peers")
_PATIENCE_S: Final = 900


class Absent(ShopfloorError):  # noqa: N818 (a state, as people name it)
    """A peer is not installed, and why; the report says so."""


@dataclass(frozen=True, slots=True)
class Cache:
    """The folder of the peers; with `install` false nothing is fetched, and what is missing is `Absent`."""

    folder: Path
    install: bool = True

    @classmethod
    def default(cls) -> Path:
        """Below the user's cache folder."""
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "shopfloor" / "bench"

    def node(self) -> Path:
        """The folder `node_modules` of the JavaScript peers."""
        if not shutil.which("node"):
            raise Absent("Node.js is not installed")
        home = self.folder / "node"
        modules = home / "node_modules"
        wanted = (_PEERS / "package.json").read_text()
        done = home / "package.json"
        if not modules.is_dir() or not done.exists() or done.read_text() != wanted:
            self._may("its npm packages are not installed")
            home.mkdir(parents=True, exist_ok=True)
            done.write_text(wanted)
            _run(["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"], home)
        return modules

    def python(self, name: str, requirements: Sequence[str]) -> Path:
        """The interpreter of an environment that holds `requirements`."""
        home = self.folder / name
        python, stamp = home / "bin/python", home / "requirements.txt"
        wanted = "\n".join(requirements)
        if not python.exists() or not stamp.exists() or stamp.read_text() != wanted:
            self._may(f"{requirements[0]} is not installed")
            _run([sys.executable, "-m", "venv", str(home)], self.folder)
            for one in requirements:
                _run([str(python), "-m", "pip", "install", "--quiet", one], home)
            stamp.write_text(wanted)
        return python

    def _may(self, why: str) -> None:
        if not self.install:
            raise Absent(f"{why}, and this run installs nothing")
        sys.stderr.write(f"Installing a peer into {self.folder} ...\n")


def binary(name: str) -> str:
    """The path of a program; beside this Python, or anywhere in the path."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if found is None:
        raise Absent(f"{name} is not installed")
    return found


def _run(command: Sequence[str], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run(  # noqa: S603 (pinned packages of the bench)
            command, cwd=folder, capture_output=True, text=True, check=True, timeout=_PATIENCE_S
        )
    except FileNotFoundError as problem:
        raise Absent(f"{command[0]} is not installed") from problem
    except subprocess.TimeoutExpired as problem:
        raise Absent(f"{command[0]} did not end within {_PATIENCE_S} s") from problem
    except subprocess.CalledProcessError as problem:
        said = (problem.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise Absent(f"{Path(command[0]).name} could not install it: {said[:200]}") from problem
