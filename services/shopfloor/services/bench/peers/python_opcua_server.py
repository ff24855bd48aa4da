"""python-opcua 0.98 as a server of sequence numbers that keeps history: the library that asyncua came from."""

from __future__ import annotations

import json
import sys
import threading
import time
from datetime import UTC, datetime
from typing import Any

from opcua import Server, ua


def main() -> None:
    """Serve until the process is ended."""
    asked: dict[str, Any] = json.loads(sys.argv[1])
    server = Server()
    url = f"opc.tcp://127.0.0.1:{asked['port']}/bench"
    server.set_endpoint(url)
    namespace = server.register_namespace("urn:shopfloor:bench")
    folder = server.get_objects_node().add_folder(namespace, "Load")
    nodes = [folder.add_variable(f"ns={namespace};s=t{i}", f"t{i}", -1.0) for i in range(asked["items"])]
    server.start()
    server.historize_node_data_change(nodes, count=10_000)
    period = round(1000 / asked["hz"])
    start = (int(time.time()) + 1) * 1000
    told = {"url": url, "node": f"ns={namespace};s=t{{}}", "start": start * 1_000_000, "period": period * 1_000_000}
    sys.stdout.write(f"ready {json.dumps(told)}\n")
    sys.stdout.flush()
    threading.Thread(target=_beat, args=(nodes, start, period), daemon=True).start()
    threading.Event().wait()


def _beat(nodes: list[Any], start: int, period: int) -> None:
    tick = 0
    while True:
        due = start + tick * period
        time.sleep(max(0.0, due / 1e3 - time.time()))
        for node in nodes:
            value = ua.DataValue(ua.Variant(float(tick), ua.VariantType.Double))
            value.SourceTimestamp = datetime.fromtimestamp(due / 1e3, UTC).replace(tzinfo=None)
            node.set_data_value(value)
        tick += 1


if __name__ == "__main__":
    main()
