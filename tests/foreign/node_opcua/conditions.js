// A foreign OPC UA server with alarms: Machines/Pump-<n>/Level, each with one above 100: node conditions.js <port> {"pumps": n}
// A line "set <first> <last> <value>" on stdin writes the levels of these pumps. Prints "ready <port>", and "set" when that is done.
const { OPCUAServer, DataType } = require("node-opcua");
const readline = require("readline");

const port = Number(process.argv[2]);
const { pumps } = JSON.parse(process.argv[3]);

async function main() {
    const server = new OPCUAServer({ port, hostname: "127.0.0.1", resourcePath: "/foreign", allowAnonymous: true });
    await server.initialize();
    const space = server.engine.addressSpace;
    space.installAlarmsAndConditionsService();
    const names = space.getOwnNamespace();
    const machines = names.addObject({
        organizedBy: space.rootFolder.objects, browseName: "Machines", notifierOf: space.rootFolder.objects.server,
    });
    const levels = Array.from({ length: pumps }, (_, n) => {
        const pump = names.addObject({ componentOf: machines, browseName: `Pump-${n}`, eventSourceOf: machines });
        const level = names.addVariable({
            componentOf: pump, browseName: "Level", nodeId: `s=Level-${n}`, dataType: "Double", eventSourceOf: pump,
            minimumSamplingInterval: 0, value: { dataType: "Double", value: 1 },
        });
        const alarm = names.instantiateExclusiveLimitAlarm("ExclusiveLimitAlarmType", {
            componentOf: pump, browseName: "LevelAlarm", conditionName: `LevelHigh-${n}`, conditionSource: level, inputNode: level,
            highHighLimit: 200, highLimit: 100, lowLimit: -100, lowLowLimit: -200,
            optionals: ["ConfirmedState", "Confirm", "ShelvingState", "SuppressedState"],
        });
        alarm.setEnabledState(true);
        return level;
    });
    readline.createInterface({ input: process.stdin }).on("line", (line) => {
        const [first, last, value] = line.split(" ").slice(1).map(Number);
        for (const level of levels.slice(first, last + 1)) {
            level.setValueFromSource({ dataType: DataType.Double, value });
        }
        console.log("set");
    });
    await server.start();
    console.log(`ready ${port}`);
}
main().catch((problem) => { console.error(problem); process.exit(1); });
