"""Where values go, or are read from: one server store."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from enum import StrEnum

from shopfloor.plant import Kind


class Product(StrEnum):
    """The server stores that are known here."""

    INFLUXDB = "influxdb"
    VICTORIAMETRICS = "victoriametrics"


@dataclass(frozen=True, slots=True)
class Target:
    """A server store. `bucket` is the database of an InfluxDB 1.x; a token `user:password` is a login there."""

    product: Product
    url: str
    org: str = ""
    bucket: str = ""
    token: str = field(default="", repr=False)
    compress: bool = False
    timeout_s: float = 10.0
    settle_s: float = 300.0
    """How long a server that acknowledges before its disk (VictoriaMetrics) must go on until its word counts."""

    @property
    def key(self) -> str:
        """Under this the embedded store remembers what the target has taken.

        >>> Target(Product.INFLUXDB, "http://127.0.0.1:8086/", "delta", "plant").key
        'http://127.0.0.1:8086 delta/plant'
        """
        return f"{self.url.rstrip('/')} {self.org}/{self.bucket}"

    @property
    def precision(self) -> int:
        """Nanoseconds in the unit to which the server keeps times."""
        return 1 if self.product is Product.INFLUXDB else 1_000_000

    @property
    def settles(self) -> bool:
        """Whether an acknowledged value may still be lost at a crash of the server."""
        return self.product is Product.VICTORIAMETRICS

    def keeps(self, kind: Kind) -> bool:
        """Whether the server has such values at all."""
        return self.product is Product.INFLUXDB or kind is not Kind.TEXT

    def headers(self) -> dict[str, str]:
        """Who asks: nobody, a login, or a token.

        >>> Target(Product.INFLUXDB, "http://127.0.0.1:8086", token="secret").headers()
        {'Authorization': 'Token secret'}
        """
        if not self.token:
            return {}
        if ":" in self.token:
            return {"Authorization": f"Basic {base64.b64encode(self.token.encode()).decode()}"}
        scheme = "Token" if self.product is Product.INFLUXDB else "Bearer"
        return {"Authorization": f"{scheme} {self.token}"}
