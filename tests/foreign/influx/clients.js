// Writes and reads with two foreign clients of InfluxDB; prints what was read. Usage: node clients.js PORT TOKEN
const { InfluxDB, Point } = require('@influxdata/influxdb-client')
const Influx = require('influx')

const [port, token] = process.argv.slice(2)
const time = 1700000000000

async function version2() {
  const api = new InfluxDB({ url: `http://127.0.0.1:${port}`, token }).getWriteApi('plant', 'js', 'ns')
  for (let i = 0; i < 3; i++) {
    api.writePoint(
      new Point('cpu').tag('host', 'press pc').floatField('load', i + 0.5).intField('n', i).booleanField('up', true)
        .stringField('said', 'a "b"').timestamp(`${time + i}000000`),
    )
  }
  await api.close()
}

async function refused() {
  const api = new InfluxDB({ url: `http://127.0.0.1:${port}`, token }).getWriteApi('plant', 'js', 'ns', { maxRetries: 0 })
  api.writeRecord('cpu load=good')
  try {
    await api.close()
  } catch (error) {
    return { status: error.statusCode, message: error.message, code: error.code }
  }
}

async function version1() {
  const client = new Influx.InfluxDB({ host: '127.0.0.1', port, database: 'js', username: 'any', password: token })
  const names = await client.getDatabaseNames()
  await client.createDatabase('js')
  await client.writePoints([{ measurement: 'disk', tags: { host: 'a' }, fields: { free: 12.5 }, timestamp: new Date(time) }])
  const [host] = await client.ping(5000)
  const rows = await client.query('SELECT load, n, up, said FROM cpu GROUP BY host')
  const means = await client.query('SELECT mean(load) AS load FROM cpu WHERE time >= 1700000000s AND time < 1700000060s GROUP BY time(1m)')
  return {
    online: host.online, version: host.version, names, measurements: await client.getMeasurements(),
    groups: rows.groups().map(({ tags, rows }) => ({ tags, rows: rows.map((row) => ({ ...row, time: row.time.getTime() })) })),
    means: means.map((row) => [row.time.getTime(), row.load]),
    disk: (await client.query('SELECT free FROM disk')).map((row) => [row.time.getTime(), row.free]),
  }
}

async function main() {
  await version2()
  console.log(JSON.stringify({ refused: await refused(), ...(await version1()) }))
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
