import assert from "node:assert/strict";
import { test } from "node:test";
import { Tree } from "../src/lib/connect/tree.ts";
import type { NodeRow } from "../src/lib/connect/types.ts";

function row(id: string, parent: string, more: Partial<NodeRow> = {}): NodeRow {
  return { id, parent, name: id, path: [id], kind: "variable", type: "Double", children: false, writable: false, property: false, ...more };
}

function small(): Tree {
  const tree = new Tree();
  tree.add([row("m", "", { kind: "object", children: true }), row("a", "m"), row("b", "m", { children: true }), row("u", "b", { property: true })]);
  return tree;
}

test("a parent is mixed until all of its values are ticked, and properties are ticked only by themselves", () => {
  const tree = small();
  const [m] = tree.roots;
  tree.tick(tree.node("a")!, true);
  assert.equal(tree.state(m!), "mixed");
  tree.tick(m!, true);
  assert.equal(tree.state(m!), "true");
  assert.deepEqual([...tree.ticked].map((node) => node.id), ["a", "b"]);
  tree.tick(tree.node("u")!, true);
  assert.equal(tree.state(tree.node("u")!), "true");
  assert.equal(m!.total, 2);
  tree.tick(m!, false);
  assert.deepEqual([...tree.ticked].map((node) => node.id), ["u"]);
});

test("only what is open is shown; a filter shows matches with their parents", () => {
  const tree = small();
  assert.deepEqual(tree.rows().map((node) => node.id), ["m"]);
  tree.node("m")!.open = true;
  assert.deepEqual(tree.rows().map((node) => node.id), ["m", "a", "b"]);
  assert.deepEqual(tree.rows("U").map((node) => node.id), ["m", "b", "u"]);
});

test("what comes later counts with what is ticked above it", () => {
  const tree = small();
  tree.tick(tree.roots[0]!, true);
  tree.add([row("late", "m")]);
  assert.equal(tree.state(tree.roots[0]!), "mixed");
  tree.await(["later"]);
  tree.add([row("later", "m")]);
  assert.equal(tree.node("later")!.ticked, true);
  assert.deepEqual(tree.missing, []);
});

test("levels of a topic are made as they are needed", () => {
  const tree = new Tree();
  tree.add([row("hall/pump/flow", "", { name: "flow", path: ["hall", "pump", "flow"] }), row("hall/pump/load", "", { name: "load", path: ["hall", "pump", "load"] })]);
  assert.deepEqual(tree.roots.map((node) => node.name), ["hall"]);
  assert.deepEqual(tree.roots[0]!.children[0]!.children.map((node) => node.path.join("/")), ["hall/pump/flow", "hall/pump/load"]);
  assert.equal(tree.roots[0]!.total, 2);
});
