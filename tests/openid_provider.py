"""A real OpenID provider (npm's oidc-provider) as a child process: a foreign implementation for tests of the server."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "foreign" / "oidc"
SECRET = "a secret of the test"


@contextmanager
def openid_provider(port: int, server: str) -> Iterator[str]:
    """Its issuer; `server` is the origin to which it sends browsers back. Skipped where it is not installed."""
    node = shutil.which("node")
    if node is None or not (FOLDER / "node_modules" / "oidc-provider").is_dir():
        sentence = "oidc-provider is not installed: run 'npm ci' in tests/foreign/oidc."
        pytest.fail(sentence) if os.environ.get("CI", "").lower() == "true" else pytest.skip(sentence)
    command = [node, "--no-warnings", str(FOLDER / "provider.mjs"), str(port), server]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            while not process.stdout.readline().startswith("ready"):
                assert process.poll() is None, "the provider ended"
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()
