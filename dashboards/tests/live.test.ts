import assert from "node:assert/strict";
import { test } from "node:test";
import { encode } from "@msgpack/msgpack";
import { changed } from "../src/lib/live/changes.ts";
import { Cursor } from "../src/lib/live/cursor.ts";
import { type Hello, type Topic, readFrame } from "../src/lib/live/frames.ts";
import { Pace, backoff, isDue, pixelOf } from "../src/lib/live/pace.ts";
import { Ring } from "../src/lib/live/ring.ts";
import { Series } from "../src/lib/live/series.ts";

const BAD = 0x808c0000;
const bytes = (column: ArrayBufferView): Uint8Array => new Uint8Array(column.buffer);

test("a ring keeps the newest samples in memory that does not grow", () => {
  const ring = new Ring(4);
  for (let i = 0; i < 1000; i++) assert.ok(ring.push(i, i * 2));
  assert.deepEqual([...ring.times], [996, 997, 998, 999]);
  assert.deepEqual([...ring.values], [1992, 1994, 1996, 1998]);
  assert.equal(ring.length, 4);
  assert.equal(ring.times.buffer.byteLength, 4 * 2 * 8);
});

test("a ring leaves repeated and older samples out", () => {
  const ring = new Ring(4);
  ring.push(10, 1);
  assert.equal(ring.push(10, 2), false);
  assert.equal(ring.push(9, 3), false);
  assert.deepEqual([...ring.values], [1]);
});

test("a ring forgets what is older than asked", () => {
  const ring = new Ring(8);
  for (let i = 0; i < 8; i++) ring.push(i, i);
  ring.trim(5);
  assert.deepEqual([...ring.times], [5, 6, 7]);
  ring.trim(6.5);
  assert.deepEqual([...ring.times], [6, 7], "the sample that holds stays");
});

test("a values frame is read whatever the offset of its columns", () => {
  const frame = readFrame(
    encode({
      k: "values",
      seq: 7,
      time: 1000.5,
      parts: [
        { i: bytes(Int32Array.of(0, 2)), t: bytes(Float64Array.of(1, 2)), v: bytes(Float64Array.of(4.2, NaN)), q: bytes(Uint32Array.of(0, BAD)) },
        { x: [[1, 3, "EXECUTE", 0]] },
      ],
    }),
  );
  assert.ok(frame?.k === "values");
  const [numbers, texts] = frame.parts;
  assert.deepEqual([...numbers!.index], [0, 2]);
  assert.deepEqual([...numbers!.value], [4.2, NaN]);
  assert.deepEqual([...numbers!.quality], [0, BAD]);
  assert.deepEqual(numbers!.texts, []);
  assert.deepEqual(texts!.texts, [[1, 3, "EXECUTE", 0]]);
  assert.equal(texts!.index.length, 0);
});

test("a frame of an unknown kind is nothing", () => {
  assert.equal(readFrame(encode({ k: "later" })), null);
  assert.equal(readFrame(encode(null)), null);
});

test("a series joins history and live samples and marks what is bad", () => {
  const series = new Series(16);
  const time = [1000, 2000, 3000, 4000];
  series.load({ tag: "a", unit: "", kind: "float", downsampled: true, time, value: [1, null, 3, 4], low: [0, null, 2, 3], high: [2, null, 4, 5], quality: [0, BAD, 0, 0] });
  assert.equal(series.append(4000, 9, 0), false);
  assert.ok(series.append(5000, 5, 0));
  const [t, v, low, high] = series.views();
  assert.deepEqual([...t], [1, 2, 3, 4, 5]);
  assert.deepEqual([...v], [1, NaN, 3, 4, 5]);
  assert.deepEqual([...low], [0, NaN, 2, 3, 5]);
  assert.deepEqual([...high], [2, NaN, 4, 5, 5]);
  assert.deepEqual(series.badSpans(), [{ from: 2000, to: 3000 }]);
  series.append(6000, 0, BAD);
  assert.deepEqual(series.badSpans(9000), [{ from: 2000, to: 3000 }, { from: 6000, to: 9000 }]);
});

test("a series keeps one sample before its window, so that the line reaches the edge", () => {
  const series = new Series(16);
  for (const t of [1000, 2000, 3000]) series.append(t, 1, 0);
  series.trim(2500);
  assert.deepEqual([...series.views()[0]], [2, 3]);
});

test("a series never grows", () => {
  const series = new Series(8);
  for (let i = 1; i < 1000; i++) series.append(i * 1000, i, 0);
  assert.equal(series.length, 8);
  assert.equal(series.views()[0].buffer.byteLength, 8 * 2 * 8);
});

test("connecting again waits longer each time, up to five seconds", () => {
  const waits = [0, 1, 2, 3, 4, 5, 20].map((n) => Math.round(backoff(n, () => 0.5)));
  assert.deepEqual(waits, [200, 266, 354, 471, 626, 832, 5000]);
});

test("a chart is drawn again before it moves by more than a pixel", () => {
  const wide = pixelOf(60_000, 1_800);
  const narrow = pixelOf(60_000, 290);
  assert.deepEqual([0, 100].map((ago) => isDue(ago, wide)), [true, true], "with every frame");
  assert.deepEqual([100, 200].map((ago) => isDue(ago, narrow)), [false, true], "with every other one");
  assert.deepEqual([4_800, 4_950].map((ago) => isDue(ago, pixelOf(86_400_000, 1_000))), [false, true]);
});

test("silence is judged by the pace of the tag", () => {
  const fast = new Pace();
  for (let t = 0; t < 5000; t += 100) fast.heard(t);
  assert.equal(fast.patience, 3000);
  const slow = new Pace();
  for (const t of [0, 60_000, 120_000]) slow.heard(t);
  assert.equal(slow.patience, 180_000);
  const twice = new Pace();
  for (const t of [1795791630894.301, 1795791630894.3012]) twice.heard(t);
  assert.equal(twice.patience, 15_000, "the same value, come by two ways, is no pace");
});

test("a page says where it was, and a server that was started again is another one", () => {
  const cursor = new Cursor();
  const hello: Hello = { k: "hello", time: 0, boot: "a", seq: 5, first: true, resumed: false, tags: [], numbers: new Int32Array() };
  assert.equal(cursor.told(), undefined);
  cursor.heard(hello);
  cursor.heard({ k: "values", seq: 7, time: 0, parts: [] });
  cursor.heard({ k: "alarms", seq: 3, whole: true, more: true, items: [], gone: [] });
  assert.deepEqual(cursor.told(), { boot: "a", seq: 7, states: {} }, "half a topic is not read");
  cursor.heard({ k: "alarms", seq: 3, whole: false, more: false, items: [], gone: [] });
  cursor.heard({ ...hello, seq: 9, resumed: true });
  assert.deepEqual(cursor.told(), { boot: "a", seq: 7, states: { alarms: 3 } }, "what is to be sent again is not read");
  cursor.heard({ ...hello, boot: "b", seq: 1 });
  assert.deepEqual(cursor.told(), { boot: "b", seq: 1, states: {} });
});

test("items change in their place, new ones come first, and gone ones go", () => {
  const item = (id: string, value: number): { id: string; value: number; unit: string } => ({ id, value, unit: "um" });
  const frame = (whole: boolean, items: unknown[], gone: string[][]): Topic => ({ k: "alarms", seq: 1, whole, more: false, items, gone });
  const key = (one: { id: string }): string[] => [one.id];
  const first = changed([item("z", 0)], frame(true, [item("a", 1), item("b", 2)], []), key);
  assert.deepEqual(first.map((one) => [one.id, one.value, one.unit]), [["a", 1, "µm"], ["b", 2, "µm"]]);
  const second = changed(first, frame(false, [item("c", 3), item("b", 4)], [["a"]]), key);
  assert.deepEqual(second.map((one) => [one.id, one.value]), [["c", 3], ["b", 4]]);
});
