import assert from "node:assert/strict";
import { nextSignal, place, span, steps, trace, zone } from "../src/lib/quality/plot.ts";
import { test } from "node:test";
import { query } from "../src/lib/api/http.ts";
import type { Alarm, Asset, Prediction, Tag } from "../src/lib/api/types.ts";
import { type Key, en } from "../src/lib/i18n/en.ts";
import { filled } from "../src/lib/i18n/filled.ts";
import { zh } from "../src/lib/i18n/zh.ts";
import { barScale, outside } from "../src/lib/view/bar.ts";
import { attention, condition } from "../src/lib/view/condition.ts";
import { headline, keyTag, linesOf, stateKind } from "../src/lib/view/lines.ts";
import { readable } from "../src/lib/view/predicted.ts";
import { assetHref, route, tagHref, chartHref } from "../src/lib/view/route.ts";
import { sectionOf, sections } from "../src/lib/view/sections.ts";
import { segments, shares } from "../src/lib/view/timeline.ts";

const tag = (name: string, more: Partial<Tag> = {}): Tag => ({
  path: `s/a/l/c/m/${name}`, name, kind: "float", unit: "", title: name, description: "", decimals: 1, normal: null, limits: [], states: [], writable: false, ...more,
});
const asset = (name: string, tags: Tag[] = [], type = "mixer"): Asset => ({
  path: `s/a/l/c/${name}`, site: "s", area: "a", line: "l", cell: "c", asset: name, type, title: name, type_title: type, state: null, alarms: {}, tags,
});
const alarm = (on: string, priority: 1 | 2 | 3, state: Alarm["state"] = "active"): Alarm => ({
  id: on + priority, asset: `s/a/l/c/${on}`, tag: null, kind: "limit", code: "x", priority, state, title: "t", sentence: "", why: "", advice: "",
  since: 0, returned: null, acknowledged: null, value: null, limit: null, unit: "", values: {},
});
const prediction = (on: string, target: string, status: Prediction["status"], more: Partial<Prediction> = {}): Prediction => ({
  asset: `s/a/l/c/${on}`, target, title: target, time: 0, value: 1, low: 0, high: 2, coverage: 0.9, unit: "", status, sentence: "", advice: "", baseline: null,
  reasons: [], model: "m", trained_at: null, ...more,
});

test("addresses lead to pages and back", () => {
  assert.deepEqual(route("/"), { page: "overview", rest: "" });
  assert.deepEqual(route("/line/frames/machining/"), { page: "line", rest: "frames/machining" });
  assert.deepEqual(route(assetHref("s/a/l/c/pot 1")), { page: "asset", rest: "s/a/l/c/pot 1" });
  assert.deepEqual(route(tagHref("s/a/l/c/m/x.y")), { page: "tag", rest: "s/a/l/c/m/x.y" });
  assert.equal(route("/asset/too/short").page, "missing");
  assert.equal(route("/nothing").page, "missing");
});

test("an address belongs to one section, and no two sections share a key", () => {
  const of = (path: string) => sectionOf(path)?.href;
  assert.deepEqual(["/", "/production", "/production/orders", "/production/energy", "/quality/d/a"].map(of), ["/", "/production", "/production", "/production/energy", "/quality"]);
  assert.deepEqual(["/connect/edge-1/new", "/asset/a/b/c/d/e", "/productions"].map(of), ["/connections", undefined, undefined]);
  assert.equal(new Set(sections.map(({ key }) => key)).size, sections.length);
});

test("a query repeats the key of a list and leaves absent values out", () => {
  assert.equal(query({ tag: ["a", "b"], points: undefined, start: 5 }), "?tag=a&tag=b&start=5");
  assert.equal(query({}), "");
});

test("the worst asset comes first", () => {
  const assets = ["a", "b", "c", "d"].map((name) => asset(name));
  const alarms = [alarm("b", 2), alarm("c", 1, "acknowledged"), alarm("a", 3, "closed")];
  const due = attention(assets.map((one) => condition(one, alarms, one.asset === "d" ? [prediction("d", "x", "act")] : [])));
  assert.deepEqual(due.map((one) => one.asset.asset), ["c", "b", "d"]);
});

test("an unknown type shows its first number that has a normal range", () => {
  const one = asset("m", [tag("note", { kind: "text" }), tag("count"), tag("level", { normal: [0, 1] })]);
  assert.equal(keyTag(one)?.name, "level");
  assert.deepEqual(linesOf([one]).map((line) => line.id), ["a/l"]);
});

test("a tile shows its own prediction unless another one is urgent", () => {
  const one = asset("m", [], "machine-tool");
  const own = prediction("m", "tool_life", "ok");
  assert.equal(headline(one, [prediction("m", "dimension", "ok"), own]), own);
  const urgent = prediction("m", "dimension", "act");
  assert.equal(headline(one, [own, urgent]), urgent);
});

test("a bar puts the normal range in its middle and never leaves its frame", () => {
  const scale = barScale({ normal: [10, 20], limits: [] })!;
  assert.equal(scale(15), 50);
  assert.equal(scale(1000), 100);
  assert.equal(outside({ normal: [10, 20] }, 21), true);
  assert.equal(barScale({ normal: null, limits: [] }), null);
});

test("a share is read in percent, a dimension around zero", () => {
  const share = readable(prediction("m", "anode_effect", "act", { value: 0.72, low: 0.5, high: 0.9 }));
  assert.deepEqual([share.value, share.unit, share.at, share.interval], ["72", "%", 72, "50 … 90 %"]);
  const off = readable(prediction("m", "dimension", "ok", { value: 0, low: -10, high: 10, unit: "µm" }));
  assert.equal(off.at, 50);
});

test("states last until the next one, the last until now", () => {
  const all = segments([0, 100, 200], ["A", "B", "A"], 50, 400, 300);
  assert.deepEqual(all, [{ from: 50, to: 100, state: "A" }, { from: 100, to: 200, state: "B" }, { from: 200, to: 300, state: "A" }]);
  assert.deepEqual(shares(all).map(([state]) => state), ["A", "B"]);
  assert.deepEqual(["EXECUTE", "idle", "ANODE_EFFECT", null].map(stateKind), ["run", "wait", "halt", "wait"]);
});

test("both languages have the same texts with the same places to fill", () => {
  const places = (text: string): string[] => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();
  assert.deepEqual(Object.keys(zh.texts).sort(), Object.keys(en.texts).sort());
  for (const key of Object.keys(en.texts) as Key[]) assert.deepEqual(places(zh.texts[key]), places(en.texts[key]), key);
});

test("one thing is said in the singular", () => {
  const texts = ["0", 1, "2,104", null].map((n) => filled("{n} {n:asset needs|assets need} it", { n }));
  assert.deepEqual(texts, ["0 assets need it", "1 asset needs it", "2,104 assets need it", "{n} assets need it"]);
});

test("a control chart has one place for each point, and limits that are steps", () => {
  const at = place(4, [0, 10], 0, 0, 80, 100);
  assert.deepEqual([at.x(0), at.x(3), at.y(0), at.y(10)], [10, 70, 100, 0]);
  assert.equal(trace([1, null, 3, 4], at), "M10.0 90.0M50.0 70.0L70.0 60.0");
  assert.equal(steps([5, 5, 7, null], at), "M0.0 50.0H40.0V30.0H60.0");
  assert.deepEqual(zone([0, 0], [3, null], 2), [2, null]);
  assert.deepEqual(span([null], []), [0, 1]);
  assert.deepEqual([route("/quality").page, route(chartHref("d", "a/b/c/d/e")).rest], ["quality", "d/a/b/c/d/e"]);
});

test("signals are walked in both directions and stay at the ends", () => {
  const broken = [[], ["nelson-1"], [], ["spread"]];
  assert.deepEqual([nextSignal(broken, null, 1), nextSignal(broken, 1, 1), nextSignal(broken, 3, 1)], [1, 3, 3]);
  assert.deepEqual([nextSignal(broken, null, -1), nextSignal(broken, 3, -1), nextSignal(broken, 1, -1)], [3, 1, 1]);
});
