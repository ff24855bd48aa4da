"""Server stores: InfluxDB and VictoriaMetrics beside the embedded store, or in front of it.

    segments ──► Forward ──► Sender ──► server   what it has taken is written down in `Deliveries`
    pages ◄── FrontedReader ◄── ServerReader ◄── server   what it has not taken comes from the embedded store

The embedded store is the buffer: it forgets nothing that a target has not durably taken.
"""

from shopfloor.services.historian.remote.forward import Forward
from shopfloor.services.historian.remote.influxql import InfluxQL
from shopfloor.services.historian.remote.metricsql import MetricsQL
from shopfloor.services.historian.remote.reader import ServerReader
from shopfloor.services.historian.remote.sender import Sender
from shopfloor.services.historian.remote.target import Product, Target

__all__ = ["Forward", "Product", "Sender", "ServerReader", "Target", "server_reader"]


def server_reader(target: Target) -> ServerReader:
    """The way to read from a server store; close it."""
    return ServerReader(InfluxQL(target) if target.product is Product.INFLUXDB else MetricsQL(target))
