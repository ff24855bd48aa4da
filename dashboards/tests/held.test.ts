import assert from "node:assert/strict";
import { test } from "node:test";
import { Pace } from "../src/lib/live/pace.ts";
import { heldAt, traceHeld } from "../src/lib/view/held.ts";

type Point = [string, number, number];
const drawn = (times: number[], values: number[], from: number, until: number): Point[] => {
  const points: Point[] = [];
  const pen = { moveTo: (x: number, y: number) => points.push(["m", x, y]), lineTo: (x: number, y: number) => points.push(["l", x, y]) };
  traceHeld(pen, times, values, (t) => t, (v) => v, from, until);
  return points;
};

test("a value holds until the next one, the last until now", () => {
  assert.deepEqual(drawn([10, 50], [1, 2], 0, 80), [["m", 10, 1], ["l", 50, 1], ["l", 50, 2], ["l", 80, 2]]);
});

test("what held before the window holds at its left edge", () => {
  assert.deepEqual(drawn([10, 20, 70], [1, 2, 3], 40, 60), [["m", 40, 2], ["l", 60, 2]]);
});

test("a bad sample ends the line, a good one begins another", () => {
  assert.deepEqual(drawn([10, 30, 50], [1, NaN, 3], 0, 60), [["m", 10, 1], ["l", 30, 1], ["m", 50, 3], ["l", 60, 3]]);
  assert.deepEqual(drawn([10, 30], [1, NaN], 0, 60), [["m", 10, 1], ["l", 30, 1]]);
});

test("nothing is drawn of the future", () => {
  assert.deepEqual(drawn([10, 90], [1, 2], 0, 60), [["m", 10, 1], ["l", 60, 1]]);
  assert.deepEqual(drawn([90], [2], 0, 60), []);
});

test("samples of one pixel column become its lowest, highest and last", () => {
  assert.deepEqual(drawn([10, 10.1, 10.2, 10.3, 20], [5, 1, 9, 4, 4], 0, 20), [["m", 10, 5], ["l", 10, 1], ["l", 10, 9], ["l", 10, 4], ["l", 20, 4], ["l", 20, 4], ["l", 20, 4]]);
});

test("the sample under the cursor is the one that holds there", () => {
  assert.deepEqual([5, 10, 15, 20, 25].map((t) => heldAt([10, 20], t)), [-1, 0, 0, 1, 1]);
});

test("silence is abnormal of a tag that speaks steadily, not of one that speaks on change", () => {
  const [steady, sparse, fresh] = [new Pace(), new Pace(), new Pace()];
  for (let i = 0; i < 20; i++) {
    steady.heard(i * 200);
    sparse.heard(i * 60_000);
  }
  fresh.heard(0);
  assert.deepEqual([steady, sparse, fresh].map((pace) => pace.overdue(20_000)), [true, false, false]);
  assert.equal(steady.overdue(2000), false);
});
