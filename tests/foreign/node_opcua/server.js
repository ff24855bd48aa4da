// A foreign OPC UA server: objects, scalars of every common type, an array, a bad value, one value that counts.
// A second argument holds further options of the server as JSON. Prints "ready <port>"; a line "set <value>" on stdin writes the variable Machines/Pump-1/Pressure.
const { OPCUAServer, Variant, DataType, StatusCodes, VariantArrayType } = require("node-opcua");
const readline = require("readline");

const port = Number(process.argv[2]);

async function main() {
    const server = new OPCUAServer({
        port,
        hostname: "127.0.0.1",
        resourcePath: "/foreign",
        serverCertificateManager: undefined,
        allowAnonymous: true,
        ...JSON.parse(process.argv[3] || "{}"),
    });
    await server.initialize();
    const space = server.engine.addressSpace;
    const names = space.getOwnNamespace();
    const machines = names.addFolder(space.rootFolder.objects, { browseName: "Machines" });
    const pump = names.addObject({ organizedBy: machines, browseName: "Pump-1" });
    const add = (browseName, dataType, value, more = {}) =>
        names.addVariable({ componentOf: pump, browseName, dataType, value: { dataType, value, ...more } });

    const pressure = add("Pressure", "Double", 1.5);
    add("Running", "Boolean", true);
    add("Starts", "Int32", 42);
    add("Total", "Int64", [0, 7], { arrayType: VariantArrayType.Scalar });
    add("Program", "String", "P-100");
    add("Axes", "Double", new Float64Array([1, 2, 3]), { arrayType: VariantArrayType.Array });
    add("Serviced", "DateTime", new Date("2024-01-02T03:04:05Z"));
    const broken = names.addVariable({ componentOf: pump, browseName: "Broken", dataType: "Double" });
    broken.setValueFromSource({ dataType: DataType.Double, value: 0 }, StatusCodes.BadSensorFailure);
    for (let i = 0; i < 300; i++) {
        names.addVariable({
            componentOf: pump, browseName: `Channel-${i}`, dataType: "Double", value: { dataType: "Double", value: i },
        });
    }
    let count = 0;
    const counter = names.addVariable({
        componentOf: pump, browseName: "Counter", dataType: "Int32", minimumSamplingInterval: 10,
        value: { dataType: "Int32", value: 0 },
    });
    setInterval(() => counter.setValueFromSource({ dataType: DataType.Int32, value: ++count }), 150);
    readline.createInterface({ input: process.stdin }).on("line", (line) => {
        pressure.setValueFromSource({ dataType: DataType.Double, value: Number(line.split(" ")[1]) });
    });
    await server.start();
    console.log(`ready ${port}`);
    process.on("SIGTERM", async () => { await server.shutdown(100); process.exit(0); });
}
main();
