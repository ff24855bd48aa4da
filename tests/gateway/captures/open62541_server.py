"""open62541, as the package o6 wraps it, as the server of a capture: `python open62541_server.py PORT`.

Run it in an environment of its own that holds o6 2.2.0 and nothing of Shopfloor (see the README here).
"""

from __future__ import annotations

import sys
import time
from typing import Any

import o6
from values import MOMENT, RUN, SCALARS, STATUSES


def serve(port: int) -> None:
    """Serve until the process is ended."""
    server = o6.Server(port=port)
    with server:
        folder = server.addObject("Capture", server.objectsNode)
        number = 0
        for name, values in SCALARS.items():
            for shape in (*values, values):
                add(server, folder, f"{name}-{number}", typed(name, shape), number)
                number += 1
        for name in ("Double", "Int32", "Boolean"):
            for n in range(RUN):
                add(server, folder, f"Run-{name}-{n}", typed(name, SCALARS[name][n % 2]), 0)
        sys.stdout.write("ready\n")
        time.sleep(500)


def typed(name: str, shape: Any) -> Any:
    """The value as o6's own type."""
    kind = getattr(o6, name)
    return [kind(one) for one in shape] if isinstance(shape, list) else kind(shape)


def add(server: Any, folder: Any, name: str, value: Any, number: int) -> None:
    """A variable with a status, its times and picoseconds, in turn."""
    node = server.addVariable(name, folder, value, nodeId=f"ns=1;s={name}")
    full = o6.DataValue()
    full.value = value
    full.status = o6.StatusCode(STATUSES[number % len(STATUSES)])
    full.sourceTimestamp = o6.DateTime(MOMENT)
    if number % 2:
        full.sourcePicoseconds = 4_299
    server.write(node, full)


serve(int(sys.argv[1]))
