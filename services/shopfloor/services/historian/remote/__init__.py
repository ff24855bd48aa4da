"""Server stores: InfluxDB and VictoriaMetrics beside the embedded store, or in front of it.

    segments ──► Forward ──► Sender ──► the server        what the server has taken is written down in `Deliveries`
    pages ◄── Fronted ◄── InfluxReader, VictoriaReader    what it has not taken yet comes from the embedded store

The embedded store is the buffer: it forgets nothing that a target has not durably taken.
"""

from shopfloor.services.historian.remote.forward import Forward
from shopfloor.services.historian.remote.sender import Sender
from shopfloor.services.historian.remote.target import Product, Target

__all__ = ["Forward", "Product", "Sender", "Target"]
