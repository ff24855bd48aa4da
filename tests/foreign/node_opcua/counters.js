// A foreign OPC UA server that counts: node counters.js <port> <variables> <ms> [history]
// Every <ms> each of the variables Machines/Line/C-<n> becomes one larger; with "history" the server keeps their past.
// Prints "ready <port>". Sessions may be idle for as long as the client asks.
const { OPCUAServer, DataType } = require("node-opcua");

const [port, variables, period] = process.argv.slice(2, 5).map(Number);
const history = process.argv[5] === "history";

async function main() {
    const server = new OPCUAServer({
        port,
        hostname: "127.0.0.1",
        resourcePath: "/foreign",
        serverCertificateManager: undefined,
        allowAnonymous: true,
    });
    await server.initialize();
    const space = server.engine.addressSpace;
    const names = space.getOwnNamespace();
    const machines = names.addFolder(space.rootFolder.objects, { browseName: "Machines" });
    const line = names.addObject({ organizedBy: machines, browseName: "Line" });
    const counters = Array.from({ length: variables }, (_, n) =>
        names.addVariable({
            componentOf: line,
            browseName: `C-${n}`,
            nodeId: `s=C-${n}`,
            dataType: "Double",
            minimumSamplingInterval: 0,
            value: { dataType: "Double", value: 0 },
        }),
    );
    if (history) {
        for (const counter of counters) {
            space.installHistoricalDataNode(counter, { maxOnlineValues: 20000 });
        }
    }
    let count = 0;
    setInterval(() => {
        count += 1;
        for (const counter of counters) {
            counter.setValueFromSource({ dataType: DataType.Double, value: count });
        }
    }, period);
    await server.start();
    console.log(`ready ${port}`);
}
main();
