// A foreign Sparkplug edge node (npm sparkplug-client), driven by lines of JSON on standard input:
//   node node.js <port> <group> <node>
//   {"do": "data", "device": "press-1", "metrics": [...]}   also: node-data, device-birth, device-death, stop
// It says "ready" once its births are out, and "birth" each time that it tells them.
const readline = require('readline');
const sparkplug = require('sparkplug-client');

const [port, groupId, edgeNode] = process.argv.slice(2);
const DEVICES = { 'press-1': 10, 'press-2': 30 };
const client = sparkplug.newClient({
  serverUrl: `mqtt://127.0.0.1:${port}`, username: null, password: null, groupId, edgeNode,
  clientId: `${groupId}-${edgeNode}`, version: 'spBv1.0', keepalive: 5, publishDeath: true,
});

// One value of every type that the library writes; the same table stands in the test.
const values = {
  int8: -8, int16: -1600, int32: -320000, uint8: 200, uint16: 60000, uint32: 4000000000,
  int64: -64, uint64: 64, float: 0.5, double: 1.25, boolean: true, string: 'text', datetime: 1500, text: 'more', uuid: 'id',
};
const types = {
  int8: 'Int8', int16: 'Int16', int32: 'Int32', uint8: 'UInt8', uint16: 'UInt16', uint32: 'UInt32', int64: 'Int64',
  uint64: 'UInt64', float: 'Float', double: 'Double', boolean: 'Boolean', string: 'String', datetime: 'DateTime',
  text: 'Text', uuid: 'UUID',
};
const metrics = (first, timestamp) => Object.entries(values).map(([name, value], index) => (
  { name: `All/${name}`, alias: first + index, timestamp, type: types[name], value }));

function deviceBirth(device) {
  const timestamp = Date.now();
  client.publishDeviceBirth(device, { timestamp, metrics: metrics(DEVICES[device], timestamp) });
}

client.on('birth', () => {
  const timestamp = Date.now();
  client.publishNodeBirth({ timestamp, metrics: [
    { name: 'Node Control/Rebirth', timestamp, type: 'Boolean', value: false },
    { name: 'uptime', alias: 1, timestamp, type: 'Int64', value: 1 },
  ] });
  Object.keys(DEVICES).forEach(deviceBirth);
  console.log('birth');
});
client.on('ncmd', (payload) => {
  if (payload.metrics.some((one) => one.name === 'Node Control/Rebirth' && one.value)) client.emit('birth');
});
client.on('dcmd', (device, payload) => {
  console.log(`command ${device} ${JSON.stringify(payload.metrics.map((one) => [one.name, Number(one.alias), one.value]))}`);
  const timestamp = Date.now();
  const answer = payload.metrics.map((one) => ({ alias: Number(one.alias), timestamp, type: 'Double', value: one.value }));
  client.publishDeviceData(device, { timestamp, metrics: answer });
});

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const said = JSON.parse(line);
  const payload = { timestamp: Date.now(), metrics: said.metrics || [] };
  if (said.do === 'data') client.publishDeviceData(said.device, payload);
  if (said.do === 'node-data') client.publishNodeData(payload);
  if (said.do === 'device-birth') deviceBirth(said.device);
  if (said.do === 'device-death') client.publishDeviceDeath(said.device, { timestamp: Date.now() });
  if (said.do === 'stop') client.stop();
});
