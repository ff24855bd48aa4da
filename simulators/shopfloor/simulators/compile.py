"""Compile a line's kernel with numba, once, into a cache of the user.

`python -m shopfloor.simulators.warm` warms the cache during installation. The cache's folder carries a digest of
all sources that go into the machine code, so an edit of any of them compiles anew, and nothing is written beside the
sources: they may be read-only. Real time never imports this module.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any

from shopfloor.simulators import kernel, lines
from shopfloor.simulators.line import Line

CACHE_VARIABLE = "SHOPFLOOR_CACHE"


def have_numba() -> bool:
    """Whether the optional compiler is installed."""
    return importlib.util.find_spec("numba") is not None


@cache
def kernel_of(line_id: str) -> Callable[..., int]:
    """The kernel of a line: compiled where numba is installed, otherwise interpreted (a hundred times slower)."""
    line = lines.load(line_id)
    if not have_numba():
        return interpreted(line)
    import numba

    numba.config.CACHE_DIR = str(cache_folder(line))
    built: Callable[..., int] = _build(kernel.run, {"step": line.step}, numba.njit(cache=True, error_model="numpy"), {})
    return built


def interpreted(line: Line) -> Callable[..., int]:
    """The kernel of a line as plain Python: the reference for tests."""
    return FunctionType(kernel.run.__code__, {**vars(kernel), "step": line.step}, "run")


def cache_folder(line: Line) -> Path:
    """Where the machine code of this version of the line lies; made if need be, in a temporary folder at worst."""
    root = Path(os.environ.get(CACHE_VARIABLE) or Path.home() / ".cache" / "shopfloor")
    folder = root / "kernels" / f"{line.id}-{_digest(line)}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f"probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError:
        folder = Path(tempfile.mkdtemp(prefix="shopfloor-kernels-"))
    return folder


def _digest(line: Line) -> str:
    """Of the sources of all functions that are compiled, and of the line's own files: constants are compiled too."""
    digest = hashlib.blake2s(digest_size=8)
    files = {Path(one.__code__.co_filename) for one in _functions(kernel.run, {"step": line.step})}
    for file in sorted(files | set(Path(lines.__file__).parent.glob(f"{line.id}*.py"))):
        digest.update(file.read_bytes())
    digest.update(f"{sys.version_info[:2]}".encode())
    return digest.hexdigest()


def _functions(function: Any, replaced: dict[str, Any]) -> set[Any]:
    found = {function}
    for name in function.__code__.co_names:
        used = replaced.get(name, function.__globals__.get(name))
        if _ours(used) and used not in found:
            found |= _functions(used, {})
    return found


def _build(function: Any, replaced: dict[str, Any], jit: Any, done: dict[Any, Any]) -> Any:
    """A compiled copy of `function` that calls compiled copies of our functions it names."""
    if function not in done:
        names = {**function.__globals__}
        for name in function.__code__.co_names:
            used = replaced.get(name, names.get(name))
            if _ours(used):
                names[name] = _build(used, {}, jit, done)
        copy = FunctionType(function.__code__, names, function.__name__, function.__defaults__)
        copy.__qualname__, copy.__module__ = function.__qualname__, function.__module__
        done[function] = jit(copy)
    return done[function]


def _ours(used: Any) -> bool:
    return isinstance(used, FunctionType) and used.__module__.startswith("shopfloor.simulators")
