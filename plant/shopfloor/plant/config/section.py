"""What every section of a plant file is made of."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field


def _no_bool(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError(f"{str(value).lower()!r} is no number: write digits")  # noqa: TRY004 (pydantic collects ValueError)
    return value


NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$"
Name = Annotated[str, Field(pattern=NAME)]
Number = Annotated[float, BeforeValidator(_no_bool)]
Whole = Annotated[int, BeforeValidator(_no_bool)]


class Section(BaseModel):
    """A part of a plant file: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def url_of(*schemes: str) -> AfterValidator:
    """A validator of URLs with one of these schemes and a host. Connectors use it for their options.

    >>> from typing import Annotated
    >>> from pydantic import TypeAdapter
    >>> TypeAdapter(Annotated[str, url_of("mqtt", "mqtts")]).validate_python("mqtt://127.0.0.1:1883")
    'mqtt://127.0.0.1:1883'
    """
    example = f"{schemes[0]}://host:port"

    def check(value: str) -> str:
        try:
            parts = urlsplit(value)
            _ = parts.port
        except ValueError as problem:
            raise ValueError(f"{value!r} is no URL ({problem}): write it as {example}") from problem
        if parts.scheme not in schemes:
            raise ValueError(f"{value!r} begins with no known scheme: write it as {example}")
        if not parts.hostname:
            raise ValueError(f"{value!r} names no host: write it as {example}")
        return value

    return AfterValidator(check)


def is_loopback(host: str) -> bool:
    """Whether an address is reached from its own machine only.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
