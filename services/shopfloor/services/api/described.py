"""What routes refuse, in the OpenAPI description: by reference, as FastAPI compiles a validator for every `model`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import FastAPI
from pydantic import BaseModel

Responses = dict[int | str, dict[str, Any]]
_SCHEMAS: Final = "#/components/schemas/"


def refusals(said: Mapping[int, str], model: type[BaseModel]) -> Responses:
    """Each status with its description and a body like the model, which the application `describes`.

    >>> class Problem(BaseModel):
    ...     detail: str
    >>> refusals({404: "Unknown."}, Problem)[404]["content"]["application/json"]["schema"]
    {'$ref': '#/components/schemas/Problem'}
    """
    content = {"application/json": {"schema": {"$ref": f"{_SCHEMAS}{model.__name__}"}}}
    return {status: {"description": text, "content": content} for status, text in said.items()}


class Described(FastAPI):
    """An application whose description holds the models of all refusals."""

    def __init__(self, describes: Sequence[type[BaseModel]], **options: Any) -> None:
        super().__init__(**options)
        self._describes = describes

    def openapi(self) -> dict[str, Any]:
        """Describe every route and what it refuses."""
        if self.openapi_schema is None:
            schemas = super().openapi().setdefault("components", {}).setdefault("schemas", {})
            schemas.update({model.__name__: model.model_json_schema() for model in self._describes})
        return super().openapi()
