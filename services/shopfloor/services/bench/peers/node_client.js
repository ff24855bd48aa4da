// node-opcua as a client: counts each value between the lines "start" and "stop" of its standard input.
const {
    OPCUAClient, OPCUACertificateManager, AttributeIds, ClientMonitoredItemGroup, ClientSubscription,
    MessageSecurityMode, MonitoringMode, SecurityPolicy, TimestampsToReturn,
} = require("node-opcua");
const path = require("path");
const readline = require("readline");

const asked = JSON.parse(process.argv[2]);
const say = (word, what) => process.stdout.write(`${word} ${JSON.stringify(what)}\n`);
const last = new Float64Array(asked.items).fill(-1);
const late = [];
const kept = {}, times = [];
let counting = false, values = 0, gaps = 0, duplicates = 0, before;

function one(index, dataValue) {
    if (typeof dataValue.value.value === "boolean") { // a Boolean is no sequence number
        if (counting) values++;
        return;
    }
    const sequence = Number(dataValue.value.value);
    const step = sequence - last[index];
    const known = last[index] >= 0;
    last[index] = sequence;
    if (!counting || sequence < 0) return;
    values++;
    if (asked.keep) {
        (kept[index] ??= []).push(sequence);
        times.push(Date.now() * 1e6);
    }
    if (step !== 1 && known) {
        if (step > 1) gaps += step - 1;
        else duplicates++;
    }
    if (values % 64 === 0) late.push(Date.now() - dataValue.sourceTimestamp.getTime());
}

async function main() {
    const certificates = new OPCUACertificateManager({
        rootFolder: path.join(process.cwd(), "pki"), automaticallyAcceptUnknownCertificate: true,
    });
    await certificates.initialize();
    const client = OPCUAClient.create({
        endpointMustExist: false, clientCertificateManager: certificates, keepSessionAlive: true,
        securityMode: asked.certificate ? MessageSecurityMode.SignAndEncrypt : MessageSecurityMode.None,
        securityPolicy: asked.certificate ? SecurityPolicy.Basic256Sha256 : SecurityPolicy.None,
        transportSettings: { maxMessageSize: 0, maxChunkCount: 0 },
    });
    await client.connect(asked.url);
    const session = await client.createSession();
    const begun = process.hrtime.bigint();
    const subscription = await session.createSubscription2({
        requestedPublishingInterval: asked.publish_ms, requestedLifetimeCount: 1000, requestedMaxKeepAliveCount: 20,
        maxNotificationsPerPublish: 0, publishingEnabled: true, priority: 1,
    });
    for (let start = 0; start < asked.items; start += 1000) {
        const nodes = [];
        for (let i = start; i < Math.min(asked.items, start + 1000); i++) {
            nodes.push({ nodeId: asked.node.replace("{}", i), attributeId: AttributeIds.Value });
        }
        const group = ClientMonitoredItemGroup.create(
            subscription, nodes, { samplingInterval: 0, queueSize: asked.queue, discardOldest: true },
            TimestampsToReturn.Both, MonitoringMode.Reporting,
        );
        group.on("changed", (item, dataValue, index) => one(start + index, dataValue));
        await new Promise((resolve) => group.on("initialized", resolve));
    }
    say("ready", { subscribe_s: Number(process.hrtime.bigint() - begun) / 1e9 });
    for await (const line of readline.createInterface({ input: process.stdin })) {
        if (line === "start") {
            before = process.cpuUsage();
            counting = true;
        } else if (line === "stop") break;
    }
    counting = false;
    const used = process.cpuUsage(before);
    late.sort((a, b) => a - b);
    const at = (share) => (late.length ? late[Math.min(late.length - 1, Math.floor(share * late.length))] : null);
    say("result", {
        values, gaps, duplicates, cpu_s: (used.user + used.system) / 1e6, p50_ms: at(0.5), p99_ms: at(0.99), kept, times,
    });
    await subscription.terminate();
    await session.close();
    await client.disconnect();
    process.exit(0);
}
main().catch((problem) => { console.error(problem); process.exit(1); });
