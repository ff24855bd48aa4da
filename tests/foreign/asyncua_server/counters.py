"""An OPC UA server (asyncua) that counts: counters.py <port> <variables> <ms> [history].

Every <ms> each of the variables Machines/Line/C-<n> becomes one larger; with "history" the server keeps their past.
Prints "ready <port>".
"""

import asyncio
import logging
import sys
from datetime import UTC, datetime

from asyncua import Server, ua


async def main(port: int, variables: int, period: float, history: bool) -> None:
    logging.disable(logging.CRITICAL)
    server = Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/foreign")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    space = await server.register_namespace("urn:test:counters")
    folder = await server.nodes.objects.add_object(space, "Machines")
    line = await folder.add_object(space, "Line")
    counters = []
    for number in range(variables):
        node = ua.NodeId(f"C-{number}", space)
        counters.append(await line.add_variable(node, ua.QualifiedName(f"C-{number}", space), 0.0))
    async with server:
        if history:
            for counter in counters:
                await server.historize_node_data_change(counter, period=None, count=50_000)
        sys.stdout.write(f"ready {port}\n")
        sys.stdout.flush()
        await count_up(counters, period)


async def count_up(counters: list, period: float) -> None:
    loop = asyncio.get_running_loop()
    count, due = 0, loop.time()
    while True:
        count += 1
        moment = datetime.now(UTC)
        value = ua.DataValue(ua.Variant(float(count), ua.VariantType.Double), SourceTimestamp=moment)
        for counter in counters:
            await counter.write_value(value)
        due += period
        await asyncio.sleep(max(0.0, due - loop.time()))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]) / 1000, "history" in sys.argv))
