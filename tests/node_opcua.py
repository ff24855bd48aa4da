"""node-opcua servers as child processes: a foreign implementation for the tests of the gateway."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent / "foreign" / "node_opcua"
INSTALLED = [FOLDER / "node_modules", FOLDER.parents[2] / "build" / "node_opcua" / "node_modules"]


@contextmanager
def node_opcua(port: int, script: str = "server.js", **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A server at opc.tcp://127.0.0.1:<port>/foreign; where it is not installed the test is skipped, or fails in CI.

    `options` are those of node-opcua's server, for `server.js`.
    """
    modules = next((path for path in INSTALLED if (path / "node-opcua").is_dir()), None)
    node = shutil.which("node")
    if modules is None or node is None:
        sentence = "node-opcua is not installed: run 'npm ci' in tests/foreign/node_opcua."
        pytest.fail(sentence) if os.environ.get("CI", "").lower() == "true" else pytest.skip(sentence)
    process = subprocess.Popen(
        [node, str(FOLDER / script), str(port), json.dumps(options)],
        env=os.environ | {"NODE_PATH": str(modules)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        while not process.stdout.readline().startswith("ready"):
            assert process.poll() is None, "the foreign server ended"
        yield process
    finally:
        process.kill()
        process.wait(10)
        process.stdin.close()
        process.stdout.close()
