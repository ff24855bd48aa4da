"""Tests of the watcher share one MLflow tracking server: the real one, from an environment of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from foreign_python import QUIET, empty_store, interpreter

SCRIPT: Final = Path(__file__).with_name("tracking_server.py")


@dataclass(frozen=True)
class MLflow:
    """A tracking server, and the scientist beside it."""

    process: subprocess.Popen[str]
    url: str

    def tell(self, *words: Any) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{json.dumps(words)}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def log(self, model: str, *files: Path, alias: str = "champion") -> str:
        """Log files in a run, register it, and move the alias to it; answers the version."""
        return self.tell("log", model, [str(file) for file in files], alias)


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MLflow]:
    """Serves until the tests of a module have ended."""
    python, folder = interpreter("mlflow"), tmp_path_factory.mktemp("mlflow")
    shutil.copy(empty_store(python), folder / "mlflow.db")
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [python, SCRIPT, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
            env={**os.environ, **QUIET}, cwd=folder,
        )  # fmt: skip
    with process:
        assert process.stdout is not None
        said = process.stdout.readline()
        assert said.startswith("ready "), (folder / "log").read_text()[-2000:]
        yield MLflow(process, json.loads(said.removeprefix("ready "))["url"])
        process.terminate()
