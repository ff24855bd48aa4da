// node-opcua as a server of sequence numbers: an independent implementation, for up to about 1,000 items at 10 Hz.
const { OPCUAServer, OPCUACertificateManager, DataType, StatusCodes } = require("node-opcua");
const path = require("path");

const asked = JSON.parse(process.argv[2]);

async function main() {
    const certificates = new OPCUACertificateManager({ rootFolder: path.join(process.cwd(), "pki-server") });
    await certificates.initialize();
    const server = new OPCUAServer({
        port: asked.port, hostname: "127.0.0.1", resourcePath: "/bench", allowAnonymous: true,
        serverCertificateManager: certificates,
        serverCapabilities: { maxMonitoredItems: 100000, maxMonitoredItemsPerSubscription: 100000 },
    });
    await server.initialize();
    const space = server.engine.addressSpace;
    const names = space.getOwnNamespace();
    const items = [];
    for (let i = 0; i < asked.items; i++) {
        items.push(names.addVariable({
            organizedBy: space.rootFolder.objects, browseName: `t${i}`, nodeId: `s=t${i}`, dataType: "Double",
            minimumSamplingInterval: 0, value: { dataType: "Double", value: -1 },
        }));
    }
    await server.start();
    const period = Math.round(1000 / asked.hz);
    const start = (Math.floor(Date.now() / 1000) + 1) * 1000;
    let tick = 0;
    function beat() {
        for (; start + tick * period <= Date.now(); tick++) {
            const time = new Date(start + tick * period);
            for (const item of items) {
                item.setValueFromSource({ dataType: DataType.Double, value: tick }, StatusCodes.Good, time);
            }
        }
        setTimeout(beat, Math.max(0, start + tick * period - Date.now()));
    }
    beat();
    const told = {
        url: `opc.tcp://127.0.0.1:${asked.port}/bench`, node: `ns=${names.index};s=t{}`, start: start * 1e6,
        period: period * 1e6,
    };
    process.stdout.write(`ready ${JSON.stringify(told)}\n`);
    process.on("SIGTERM", async () => { await server.shutdown(100); process.exit(0); });
}
main().catch((problem) => { console.error(problem); process.exit(1); });
