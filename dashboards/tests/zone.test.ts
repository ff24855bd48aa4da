import assert from "node:assert/strict";
import { test } from "node:test";
import { clock, dateTime, day, precise, timeTicks } from "../src/lib/format/times.ts";
import { foreignZone, instant, setZone, typed } from "../src/lib/format/zone.ts";

const HOUR = 3_600_000;
const noon = Date.UTC(2026, 6, 1, 12);

test("before the plant's zone is known the browser's clocks count", () => {
  assert.equal(clock(new Date(2026, 6, 1, 7, 5).getTime(), false), "07:05");
  assert.equal(foreignZone(noon), null);
});

test("days and hours are those of the plant, wherever the browser is", () => {
  setZone("Asia/Shanghai");
  assert.equal(dateTime(Date.UTC(2026, 2, 28, 16)), "2026-03-29 00:00");
  assert.equal(day(Date.UTC(2026, 11, 31, 17)), "2027-01-01");
  assert.equal(precise(Date.UTC(2025, 11, 31, 15), noon, HOUR), "2025-12-31 23:00:00");
  assert.deepEqual(timeTicks(Date.UTC(2026, 0, 1) / 1000, Date.UTC(2026, 0, 3) / 1000, 86_400), [Date.UTC(2026, 0, 1, 16) / 1000, Date.UTC(2026, 0, 2, 16) / 1000]);
  setZone("Asia/Kolkata");
  assert.equal(clock(noon), "17:30:00");
  assert.deepEqual(timeTicks(noon / 1000, noon / 1000 + 7200, 3600), [noon / 1000 + 1800, noon / 1000 + 5400]);
});

test("clocks change in spring and in autumn", () => {
  setZone("Europe/Berlin");
  assert.equal(dateTime(Date.UTC(2026, 2, 29, 0, 30)), "2026-03-29 01:30");
  assert.equal(dateTime(Date.UTC(2026, 2, 29, 1, 30)), "2026-03-29 03:30");
  assert.equal(instant(2026, 2, 29) - instant(2026, 2, 30), -23 * HOUR);
  assert.equal(instant(2026, 9, 25) - instant(2026, 9, 26), -25 * HOUR);
  assert.equal(dateTime(instant(2026, 2, 29, 2, 30)), "2026-03-29 03:30");
  assert.equal(instant(2026, 12, 1), Date.UTC(2026, 11, 31, 23));
});

test("what is typed is a time of the plant", () => {
  setZone("America/New_York");
  assert.equal(typed("2026-07-01T08:00"), noon);
  assert.equal(typed("2026-07-01T08:00:30"), noon + 30_000);
  assert.ok(Number.isNaN(typed("")));
});

test("the zone is named where its clocks show another time", () => {
  setZone("Pacific/Apia");
  assert.deepEqual(foreignZone(noon), { name: "Pacific/Apia", utc: "UTC+13" });
  setZone("America/St_Johns");
  assert.equal(foreignZone(noon)?.utc, "UTC−2:30");
  setZone(Intl.DateTimeFormat().resolvedOptions().timeZone);
  assert.equal(foreignZone(noon), null);
});
