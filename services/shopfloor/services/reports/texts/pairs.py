"""A text in English and in Chinese, by its key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

Pairs: TypeAlias = Mapping[str, tuple[str, str]]
