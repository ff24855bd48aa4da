// node-opcua's address space for conformance testing: variables of every type, scalars, arrays, matrices, histories.
// Its 33 arrays of 51,200 elements are cut to 500: each is one variable as any other, and a test need not move 30 MB.
// Prints "ready <port>".
const { NodeClass, OPCUAServer, VariantArrayType } = require("node-opcua");
const { build_address_space_for_conformance_testing } = require("node-opcua-address-space-for-conformance-testing");

const port = Number(process.argv[2]);

const LONGEST = 500;

function shorten(node) {
    for (const child of [...(node.getComponents?.() ?? []), ...(node.getFolderElements?.() ?? [])]) {
        if (child.nodeClass !== NodeClass.Variable) {
            shorten(child);
            continue;
        }
        const { dataType, arrayType, value } = child.readValue().value;
        if (arrayType === VariantArrayType.Array && value.length > LONGEST) {
            child.setValueFromSource({ dataType, arrayType, value: value.slice(0, LONGEST) });
        }
    }
}

async function main() {
    const server = new OPCUAServer({ port, hostname: "127.0.0.1", resourcePath: "/foreign", allowAnonymous: true });
    await server.initialize();
    const space = server.engine.addressSpace;
    await build_address_space_for_conformance_testing(space, { mass_variables: true });
    shorten(space.findNode("ns=0;i=85").getFolderElementByName("Simulation"));
    await server.start();
    console.log(`ready ${port}`);
    process.on("SIGTERM", async () => { await server.shutdown(100); process.exit(0); });
}
main();
