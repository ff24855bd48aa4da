import assert from "node:assert/strict";
import { test } from "node:test";
import { encode } from "@msgpack/msgpack";
import { columns } from "../src/lib/api/history.ts";
import type { Tag } from "../src/lib/api/types.ts";
import { TIME_STEPS, axisLabels, precise, timeTicks } from "../src/lib/format/times.ts";
import { Series } from "../src/lib/live/series.ts";
import { pythonLines } from "../src/lib/trend/python.ts";
import { found } from "../src/lib/trend/search.ts";
import { lastShift, sameShiftYesterday } from "../src/lib/trend/shifts.ts";

const HOUR = 3_600_000;
const named = (path: string, name: string) => ({ tag: { path, name: path.slice(path.lastIndexOf("/") + 1), unit: "kW" } as Tag, name, place: path.split("/")[4]! });

test("tags are found by words of name, place and path, the best first, among thousands", () => {
  const many = Array.from({ length: 20_000 }, (_, i) => named(`d/f/m/c/cnc-${i}/axis.load`, "Axis load"));
  const all = [...many, named("d/f/m/c/cnc-07/spindle.power", "Spindle power"), named("d/f/m/c/spindle-9/speed", "Speed")];
  assert.deepEqual(found(all, "spindle", 5).map(({ tag }) => tag.name), ["spindle.power", "speed"]);
  assert.deepEqual(found(all, "cnc-07 power", 5).map(({ tag }) => tag.name), ["spindle.power"]);
  assert.equal(found(all, "cnc-19 axis", 30).length, 30);
  assert.deepEqual(found(all, "no such", 5), []);
});

test("comparing goes to the shift before, and to the same one of the day before", () => {
  const shifts = ["early", "late", "night", "early", "late"].map((name, i) => ({ name, start: i * 8 * HOUR, end: (i + 1) * 8 * HOUR }));
  assert.equal(lastShift(shifts, 33 * HOUR), 8 * HOUR);
  assert.equal(sameShiftYesterday(shifts, 33 * HOUR), 24 * HOUR);
  assert.equal(lastShift([], 5), null);
  assert.equal(sameShiftYesterday([], 5), 24 * HOUR);
});

test("ticks from a millisecond to years stand on whole parts", () => {
  const start = new Date(2026, 10, 18, 11, 6, 40).getTime() / 1000;
  for (const span of [0.001, 0.5, 60, 7200, 40 * HOUR / 1000, 90 * 86_400, 5 * 365 * 86_400]) {
    const step = TIME_STEPS.find((one) => span / one <= 12)!;
    const ticks = timeTicks(start, start + span, step);
    assert.ok(ticks.length >= 3 && ticks.length <= 14, `${span}: ${ticks.length}`);
    assert.ok(ticks.every((tick, i) => !i || tick > ticks[i - 1]!), `${span}`);
    if (span <= 7200) assert.equal(new Set(axisLabels(ticks, step)).size, ticks.length, `${span}: ${axisLabels(ticks, step)}`);
  }
  assert.deepEqual(axisLabels([start + 0.0001], 0.0001), ["11:06:40.00010"]);
  assert.deepEqual(axisLabels(timeTicks(start, start + 120 * 86_400, 30 * 86_400), 30 * 86_400), ["2026-12", "2027-01", "2027-02", "2027-03"]);
});

test("a moment has as many digits as its window is worth, and the year of another one", () => {
  const now = new Date(2026, 10, 18, 12).getTime();
  const at = new Date(2026, 10, 18, 11, 6, 40, 250).getTime();
  assert.equal(precise(at, now, HOUR), "11:06:40");
  assert.equal(precise(at, now, 5000), "11:06:40.250");
  assert.equal(precise(at, now, 1), "11:06:40.250000");
  assert.equal(precise(new Date(2024, 1, 3, 4, 5, 6).getTime(), now, HOUR), "2024-02-03 04:05:06");
});

test("a series tells what held at a time with its quality, and where it was uncertain", () => {
  const series = new Series();
  const bad = 0x808c0000;
  series.load({ tag: "t", unit: "", kind: "float", downsampled: false, time: [1000, 2000, 3000, 4000], value: [1, 2, null, 4], quality: [0, 0x40930000, bad, 0] });
  assert.equal(series.at(999), null);
  assert.equal(series.at(2500)!.value, 2);
  assert.equal(series.at(3500)!.quality, bad);
  assert.ok(Number.isNaN(series.at(3500)!.value));
  assert.deepEqual(series.uncertain(), [{ from: 2000, to: 3000, value: 2 }]);
  assert.deepEqual(series.badSpans(), [{ from: 3000, to: 4000 }]);
});

test("the lines of Python name tags and times as they are", () => {
  const text = pythonLines(["a/b/c/d/e/f", 'a/b/c/d/e/"g"'], 0, 1, "http://127.0.0.1:8000");
  assert.match(text, /"a\/b\/c\/d\/e\/\\"g\\""/);
  assert.match(text, /history\(\s+tags,\s+"1970-01-01T00:00:00.000\+00:00",\s+"1970-01-01T00:00:00.001\+00:00",\s+url="http:\/\/127.0.0.1:8000",\s+\)/);
});

test("raw columns are what the server has in memory, wherever they begin in the answer", () => {
  const bytes = (column: Float64Array | Uint32Array): Uint8Array => new Uint8Array(column.buffer);
  const sent = { tag: "a/t", unit: "kW", downsampled: false, time: bytes(Float64Array.of(1000.5, 2000)), value: bytes(Float64Array.of(1, NaN)), quality: bytes(Uint32Array.of(0, 0x80000000)) };
  const told = columns(encode(sent).slice().buffer);
  assert.deepEqual([...told.time, ...told.value, ...told.quality], [1000.5, 2000, 1, NaN, 0, 0x80000000]);
  assert.equal(told.low, undefined);
  const series = new Series();
  series.load(told);
  assert.deepEqual([series.length, series.at(1500)?.value, Number.isNaN(series.at(2500)?.value)], [2, 1, true]);
});
