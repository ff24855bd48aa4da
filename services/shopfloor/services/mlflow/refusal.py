"""Why a version of MLflow is no proposal."""

from __future__ import annotations

from shopfloor.plant.errors import QuestionError


class AliasRefused(QuestionError):  # noqa: N818 (what happened to the alias)
    """A version that an alias names and that cannot be proposed; it is looked at again when the alias moves."""
