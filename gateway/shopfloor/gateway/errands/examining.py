"""The errand of the connection doctor: examine an address, or a source of this gateway as it is configured."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any, Final

from shopfloor.gateway.doctor import Finding, examine
from shopfloor.gateway.doctor.configured import configured
from shopfloor.gateway.errands import Handler
from shopfloor.plant import ConfigError
from shopfloor.plant.config import PlantConfig

_SECONDS: Final = 5.0
_LONGEST_S: Final = 60.0

Part = dict[str, Any]


def handlers(plant: Callable[[], PlantConfig], data: Path) -> dict[str, Handler]:
    """Handlers by the kind of errand."""

    async def handle(body: Part) -> AsyncGenerator[Part, None]:
        name = body.get("source")
        url, wanted = configured(plant(), str(name)) if name else _asked(body)
        seconds = min(float(body.get("seconds") or _SECONDS), _LONGEST_S)
        findings = examine(url, wanted, plant=plant(), data=data, seconds=seconds, mapped=bool(name))
        async with aclosing(findings):
            async for finding in findings:
                yield {"finding": _shown(finding)}

    return {"examine": handle}


def _asked(body: Part) -> tuple[str, Part]:
    url, given = body.get("url"), body.get("options") or {}
    if not isinstance(url, str) or not isinstance(given, dict):
        raise ConfigError("'url' is missing: send an address as in opc.tcp://press-7:4840, or the name of a 'source'.")
    security = {"security": body["security"]} if body.get("security") else {}
    return url, {**given, **security}


def _shown(finding: Finding) -> Part:
    said = finding.as_dict()
    return {"sentence": said.pop("why"), **said}
