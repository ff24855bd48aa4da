// A foreign OPC UA server with security. Argument: one JSON object (see tests/secure_servers.py). Prints "ready <port>".
const { OPCUAServer, OPCUACertificateManager, SecurityPolicy, MessageSecurityMode } = require("node-opcua");
const fs = require("fs");
const path = require("path");

const wish = JSON.parse(process.argv[2]);

async function manager(name, trusted) {
    const made = new OPCUACertificateManager({
        rootFolder: path.join(wish.folder, name),
        automaticallyAcceptUnknownCertificate: false,
    });
    await made.initialize();
    for (const file of trusted) await made.trustCertificate(fs.readFileSync(file));
    return made;
}

async function main() {
    const server = new OPCUAServer({
        port: wish.port,
        hostname: "127.0.0.1",
        resourcePath: "/secure",
        certificateFile: wish.certificate,
        privateKeyFile: wish.key,
        serverInfo: { applicationUri: wish.uri },
        serverCertificateManager: await manager("clients", wish.clients),
        userCertificateManager: await manager("users", wish.users),
        securityPolicies: wish.policies.map((name) => SecurityPolicy[name]),
        securityModes: wish.modes.map((name) => MessageSecurityMode[name]),
        allowAnonymous: wish.anonymous,
        serverCapabilities: { maxSessions: wish.sessions },
        userManager: { isValidUser: (user, password) => user === "anna" && password === "right" },
    });
    await server.initialize();
    const names = server.engine.addressSpace.getOwnNamespace();
    const machines = names.addFolder(server.engine.addressSpace.rootFolder.objects, { browseName: "Machines" });
    const machine = names.addObject({ organizedBy: machines, browseName: "CNC-01" });
    names.addVariable({
        componentOf: machine, browseName: "Load", dataType: "Double", value: { dataType: "Double", value: 1.5 },
    });
    names.addVariable({
        componentOf: machine, browseName: "Slow", nodeId: "s=Slow", dataType: "Double", minimumSamplingInterval: 60000,
        value: { dataType: "Double", value: 1.5 },
    });
    await server.start();
    console.log(`ready ${wish.port}`);
}
main().catch((problem) => { console.error(problem); process.exit(1); });
