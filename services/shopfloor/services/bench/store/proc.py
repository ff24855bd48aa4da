"""What a process has used so far, from the kernel's own account of it."""

from __future__ import annotations

import contextlib
from pathlib import Path

import psutil


def cpu_s(pid: int) -> float:
    """CPU seconds of a process that starts no others, to the nanosecond where the kernel tells, else to its tick."""
    tasks = list(Path(f"/proc/{pid}/task").glob("*/schedstat"))
    ticks = float(sum(psutil.Process(pid).cpu_times()[:2]))
    with contextlib.suppress(OSError, IndexError, ValueError):
        fine = sum(int(task.read_text().split()[0]) for task in tasks) / 1e9
        return max(fine, ticks - 0.02) if tasks else ticks
    return ticks


def rss(pid: int) -> int:
    """Memory now, in bytes."""
    return int(psutil.Process(pid).memory_info().rss)


def peak_rss(pid: int) -> int:
    """The most memory it ever had, in bytes; what it has now where the kernel keeps no record."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return rss(pid)


def size(folder: Path, *patterns: str) -> int:
    """Bytes of the files below a folder that match one of the patterns."""
    found = {path for pattern in patterns for path in folder.rglob(pattern)}
    return sum(_size(path) for path in found)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0
