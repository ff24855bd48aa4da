// A foreign OPC UA server with the address space that conformance tests use: several thousand nodes of every type.
// Prints "ready <port>".
const { OPCUAServer } = require("node-opcua");
const { build_address_space_for_conformance_testing } = require("node-opcua-address-space-for-conformance-testing");

const port = Number(process.argv[2]);

async function main() {
    const server = new OPCUAServer({ port, hostname: "127.0.0.1", resourcePath: "/foreign", allowAnonymous: true });
    await server.initialize();
    await build_address_space_for_conformance_testing(server.engine.addressSpace, { mass_variables: true });
    await server.start();
    console.log(`ready ${port}`);
}
main();
