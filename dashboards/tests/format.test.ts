import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, compact, fitting, fixed, grouped, percent } from "../src/lib/format/numbers.ts";
import { isBad, severity, statusName } from "../src/lib/format/quality.ts";
import { axisLabels, clock, duration, moment } from "../src/lib/format/times.ts";

test("numbers have the decimals of their tag and never a false zero", () => {
  assert.equal(fixed(4.2, 3), "4.200");
  assert.equal(fixed(-0.001, 2), "0.00");
  assert.equal(fixed(-3.14, 1), "−3.1");
  assert.equal(fixed(null, 2), "–");
  assert.equal(fixed(NaN, 2), "–");
});

test("a narrow place gets four digits at most", () => {
  assert.deepEqual([4.2134, 45.678, 456.78, 4567.8].map((v) => fitting(v, 3)), ["4.213", "45.68", "456.8", "4568"]);
  assert.equal(fitting(45.678, 1), "45.7");
});

test("large counts are grouped or shortened", () => {
  assert.equal(grouped(20412000), "20\u202f412\u202f000");
  assert.equal(grouped(-1234), "−1\u202f234");
  assert.equal(compact(20_412_000), "20.4\u202fM");
  assert.equal(compact(950), "950");
  assert.equal(bytes(1.31e9), "1.31 GB");
  assert.equal(percent(0.894, 1), "89.4 %");
});

test("durations have two units at most", () => {
  assert.equal(duration(400), "0.4 s");
  assert.equal(duration(12_000), "12 s");
  assert.equal(duration(200_000), "3 min 20 s");
  assert.equal(duration(18_120_000), "5 h 2 min");
  assert.equal(duration(86_400_000), "1 d");
  assert.equal(duration(-5), "0.0 s");
});

test("the clock has 24 hours", () => {
  const evening = new Date(2026, 10, 23, 18, 5, 9).getTime();
  assert.equal(clock(evening), "18:05:09");
  assert.equal(moment(evening, evening), "18:05:09");
  assert.equal(moment(evening, evening + 86_400_000), "11-23 18:05:09");
  assert.deepEqual(axisLabels([evening / 1000], 3600), ["18:05"]);
  assert.deepEqual(axisLabels([new Date(2026, 10, 23).getTime() / 1000], 3600), ["11-23"]);
});

test("quality is the OPC UA status code", () => {
  assert.equal(severity(0), "good");
  assert.equal(severity(0x40900000), "uncertain");
  assert.equal(severity(0xc0000000), "bad");
  assert.equal(isBad(0x808c0000), true);
  assert.equal(statusName(0x808c0000), "BadSensorFailure");
  assert.equal(statusName(0x80010000), "bad (0x80010000)");
});
