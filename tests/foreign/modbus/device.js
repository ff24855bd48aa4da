// A foreign Modbus TCP device with 64 registers and 64 bits in every table; what lies behind them is an illegal address.
// Prints "ready <port>"; a line "get <register>" on stdin prints the holding register.
const modbus = require("jsmodbus");
const net = require("net");
const readline = require("readline");

const listener = new net.Server();
const tables = { holding: Buffer.alloc(128), input: Buffer.alloc(128), coils: Buffer.alloc(8), discrete: Buffer.alloc(8) };
const device = new modbus.server.TCP(listener, tables);

device.input.writeFloatBE(21.5, 0);
device.input.writeInt16BE(-40, 4);
device.input.writeBigUInt64BE(9007199254740993n, 8);
device.discrete.writeUInt8(0b101, 0);
device.holding.writeUInt16BE(700, 20);

listener.listen(Number(process.argv[2]), "127.0.0.1", () => console.log(`ready ${listener.address().port}`));
readline.createInterface({ input: process.stdin }).on("line", (line) => {
    console.log(device.holding.readUInt16BE(2 * Number(line.split(" ")[1])));
});
