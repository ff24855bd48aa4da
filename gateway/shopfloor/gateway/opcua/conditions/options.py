"""What the plant file may say about the conditions (alarms) of an OPC UA server.

>>> ConditionOptions().priority_of(800), ConditionOptions(priorities=(900, 500)).priority_of(800)
(1, 2)
"""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator
from shopfloor.plant import AssetPath, PathError
from shopfloor.plant.condition import Act
from shopfloor.plant.config import Section, Whole


class ConditionOptions(Section):
    """Alarms and conditions of the server (OPC 10000-9) join the list of alarms."""

    notifiers: tuple[str, ...] = Field(
        ("i=2253",), min_length=1, description="NodeIds whose events are followed; by default the Server object: all."
    )
    assets: dict[str, str] = Field(
        {}, description="SourceName or SourceNode -> asset path; by default by the variables that are read below it."
    )
    priorities: tuple[Whole, Whole] = Field(
        (667, 334), description="Severity (1 to 1000) from which an alarm has priority 1, and priority 2; below it 3."
    )
    locales: tuple[str, ...] = Field((), description="Languages of messages, the dearest first, as in [zh, en].")
    acknowledge: bool = Field(True, description="Whether people may acknowledge, confirm and comment at the device.")
    shelve: bool = Field(False, description="Whether people may shelve at the device, so that it is silent there too.")

    def priority_of(self, severity: int) -> int:
        """1 to 3."""
        return 1 + sum(severity < bound for bound in self.priorities)

    def allows(self, act: Act) -> bool:
        """Whether an answer may go to the device."""
        return self.shelve if act in {Act.SHELVE, Act.UNSHELVE} else self.acknowledge

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        first, second = self.priorities
        if not 1 <= second < first <= 1_000:
            raise ValueError(
                f"'priorities' are {first} and {second}: write two severities from 1000 down to 1, the higher one first"
            )
        for place in self.assets.values():
            try:
                AssetPath.parse(place)
            except PathError as problem:
                raise ValueError(str(problem).rstrip(".")) from problem
        return self


def _written(value: Any) -> Any:
    if value is True:
        return {}
    return None if value is False else {"notifiers": value} if isinstance(value, list) else value


Conditions = Annotated[ConditionOptions | None, BeforeValidator(_written)]
"""`true`, a list of notifiers, or what `ConditionOptions` says."""
