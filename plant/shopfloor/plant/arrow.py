"""What the processes of a plant ask of pyarrow."""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder


class _NoPandas(MetaPathFinder):
    def find_spec(self, fullname: str, *_: object) -> None:
        if fullname == "pandas":
            raise ModuleNotFoundError("pandas is not wanted here", name=fullname)


def without_pandas() -> None:
    """For a process of the platform's own: Arrow shall do without pandas, which can still be imported.

    With its first array pyarrow looks for pandas, and where that is installed, as for notebooks, loads all of it: half
    a second of CPU and 40 MB for each process of a plant, none of which converts to pandas. It looks once.
    """
    import pyarrow as pa

    if "pandas" in sys.modules:
        return
    absent = _NoPandas()
    sys.meta_path.insert(0, absent)
    try:
        pa.array([0])
    finally:
        sys.meta_path.remove(absent)
