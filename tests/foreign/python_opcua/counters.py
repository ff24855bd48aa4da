"""A foreign OPC UA server (python-opcua, FreeOpcUa) that counts: counters.py <port> <variables> <ms> [history].

Every <ms> each of the variables Machines/Line/C-<n> becomes one larger; with "history" the server keeps their past.
Prints "ready <port>". This server ends a session with its connection.
"""

import logging
import sys
import time
import warnings
from datetime import datetime

warnings.simplefilter("ignore")
from opcua import Server, ua  # noqa: E402


def main(port: int, variables: int, period: float, history: bool) -> None:
    logging.disable(logging.CRITICAL)
    server = Server()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/foreign")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    space = server.register_namespace("urn:test:counters")
    line = server.get_objects_node().add_object(space, "Machines").add_object(space, "Line")
    names = [f"C-{number}" for number in range(variables)]
    counters = [line.add_variable(ua.NodeId(name, space), ua.QualifiedName(name, space), 0.0) for name in names]
    server.start()
    if history:
        for counter in counters:
            server.historize_node_data_change(counter, period=None, count=50_000)
    sys.stdout.write(f"ready {port}\n")
    sys.stdout.flush()
    count_up(counters, period)


def count_up(counters: list, period: float) -> None:
    count, due = 0, time.monotonic()
    while True:
        count += 1
        value = ua.DataValue(ua.Variant(float(count), ua.VariantType.Double))
        value.SourceTimestamp = datetime.utcnow()  # noqa: DTZ003 (what this library takes)
        for counter in counters:
            counter.set_value(value)
        due += period
        time.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]) / 1000, "history" in sys.argv)
