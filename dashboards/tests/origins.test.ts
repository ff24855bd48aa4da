import assert from "node:assert/strict";
import { test } from "node:test";
import type { SourceHealth } from "../src/lib/api/types.ts";
import { Origins } from "../src/lib/live/origins.ts";
import { Pace } from "../src/lib/live/pace.ts";

const LAST = 4000;
const pace = new Pace();
for (let time = 0; time <= LAST; time += 200) pace.heard(time);
const heard = { time: LAST, pace };

function source(state: string, newest: number | null, name = "machining"): SourceHealth {
  return { origin: `edge/${name}`, state, newest_time: newest, values_per_s: state === "connected" ? 5 : 0 } as SourceHealth;
}

const isKnown = (of: Origins, now: number, { tag = "power", seldom = true, sample = heard } = {}): boolean => of.knownUntil(tag, sample, now, seldom) === now;

function told(...sources: SourceHealth[]): Origins {
  const origins = new Origins();
  origins.belong([{ path: "power", origin: "edge/machining" }, { path: "speed", origin: null }]);
  origins.report(sources);
  return origins;
}

test("a tag that is silent while its source speaks has only not changed", () => {
  const origins = told(source("connected", 59_000));
  assert.deepEqual([true, false].map((seldom) => isKnown(origins, 60_000, { seldom })), [true, true]);
});

test("a tag that is silent with all others of its source is no longer known", () => {
  const origins = told(source("connected", LAST));
  assert.deepEqual([5_000, 60_000].map((now) => isKnown(origins, now)), [true, false]);
});

test("nothing of a lost source is known, however seldom it spoke, once three ticks have passed", () => {
  const once = new Pace();
  once.heard(LAST);
  const origins = told(source("stopped", 9_000));
  assert.deepEqual([10_000, 13_000].map((now) => origins.knownUntil("power", { time: LAST, pace: once }, now, true)), [10_000, 9_000], "until when its source spoke");
});

test("what is imported, or came from nobody knows where, is judged by its own pace", () => {
  assert.equal(isKnown(told(source("finished", LAST)), 60_000), false);
  assert.equal(isKnown(told(source("connected", 59_000)), 60_000, { tag: "speed" }), false);
});

test("a source of which no tag is known is asked about once a minute", () => {
  const origins = told(source("connected", 0), source("connected", 0, "press"), source("stopped", 0, "oven"));
  assert.deepEqual([100_000, 130_000, 161_000].map((now) => origins.lacking(now)), [true, false, true]);
  origins.belong([{ path: "force", origin: "edge/press" }]);
  assert.equal(origins.lacking(300_000), false);
});
