import assert from "node:assert/strict";
import { test } from "node:test";
import { byPlace, byUrgency } from "../src/lib/alarms/order.ts";
import type { Alarm, PriorityLevel } from "../src/lib/api/types.ts";

const alarm = (id: string, priority: PriorityLevel, state: Alarm["state"], since: number, more: Partial<Alarm> = {}): Alarm => ({
  id, asset: "s/a/l/c/x", tag: null, kind: "limit", code: "", priority, state, title: id, sentence: "", why: "", advice: "", since,
  returned: null, acknowledged: null, value: null, limit: null, unit: "", values: {}, ...more,
});

test("the most urgent comes first, and the first of a group before what followed", () => {
  const alarms = [
    alarm("returned", 1, "returned", 9),
    alarm("seen", 1, "acknowledged", 8),
    alarm("old", 2, "active", 1),
    alarm("first", 2, "active", 0, { first_out: true }),
    alarm("new", 2, "active", 7),
    alarm("urgent", 1, "active", 2),
  ];
  assert.deepEqual(alarms.sort(byUrgency).map(({ id }) => id), ["urgent", "first", "new", "old", "seen", "returned"]);
});

test("lines stand in the order of their most urgent alarm", () => {
  const groups = byPlace([
    alarm("a", 3, "active", 1, { asset: "s/f/one/c/x" }),
    alarm("b", 1, "active", 1, { asset: "s/f/two/c/x" }),
    alarm("c", 1, "active", 0, { asset: null }),
    alarm("d", 2, "active", 1, { asset: "s/f/one/c/y" }),
  ]);
  assert.deepEqual(groups.map(({ place, alarms }) => [place, alarms.map(({ id }) => id)]), [["f/two", ["b"]], ["", ["c"]], ["f/one", ["d", "a"]]]);
});
