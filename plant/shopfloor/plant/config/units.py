"""Durations and sizes as people write them: `200ms`, `5s`, `7d`, `2GB`."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, ValidationInfo, ValidatorFunctionWrapHandler, WrapValidator

_SECONDS: Final = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_BYTES: Final = {
    "B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30
}  # fmt: skip
_QUANTITY: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([A-Za-z]+)")


def duration(value: object) -> float:
    """Seconds of a duration; anything else raises `ValueError`.

    >>> duration("200ms"), duration("7d")
    (0.2, 604800.0)
    """
    return _quantity(value, _SECONDS, "duration", "ms, s, min, h, d or w", "5s")


def size(value: object) -> int:
    """Bytes of a size; anything else raises `ValueError`.

    >>> size("2GB"), size("64 MiB")
    (2000000000, 67108864)
    """
    return round(_quantity(value, _BYTES, "size", "B, kB, MB, GB, TB, KiB, MiB or GiB", "2GB"))


def _quantity(value: object, units: dict[str, float] | dict[str, int], noun: str, known: str, example: str) -> float:
    match = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    if match is None or match[2] not in units:
        raise ValueError(f"{value!r} is no {noun}: write a number and its unit ({known}), as in {example}")
    return float(match[1]) * units[match[2]]


def _counted(value: object, read: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
    """In the JSON that a section was written as stand plain numbers: people write units."""
    return value if info.mode == "json" and isinstance(value, int | float) else read(value)


Duration = Annotated[float, BeforeValidator(duration), WrapValidator(_counted)]
"""Seconds, written as `200ms`, `5s`, `2min`, `1h`, `7d` or `2w`."""

Size = Annotated[int, BeforeValidator(size), WrapValidator(_counted)]
"""Bytes, written as `500MB`, `2GB` or `64MiB`."""
