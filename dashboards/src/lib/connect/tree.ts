import { plain } from "./names.ts";
import type { Form, NodeKind, NodeRow } from "./types.ts";

/** A node of the tree, with how many values are below it (itself included) and how many of them are ticked. */
export interface TreeNode {
  readonly id: string;
  readonly name: string;
  readonly path: string[];
  readonly kind: NodeKind;
  readonly type: string;
  readonly writable: boolean;
  readonly form: Form;
  readonly parent: TreeNode | null;
  readonly level: number;
  readonly children: TreeNode[];
  /** Whether it has a value that can be ticked with its parents; a property is ticked only by itself. */
  readonly counts: boolean;
  readonly pickable: boolean;
  readonly value: string | number | null;
  /** The server says that something is below it. */
  branches: boolean;
  open: boolean;
  ticked: boolean;
  total: number;
  chosen: number;
}

export type Tick = "true" | "false" | "mixed";

/** The tree of what a device offers: grows while it is browsed; 20,000 nodes are no burden. */
export class Tree {
  readonly roots: TreeNode[] = [];
  readonly ticked = new Set<TreeNode>();
  /** Names of what has something below it, as they are compared. */
  readonly branchNames = new Set<string>();
  size = 0;
  private readonly byId = new Map<string, TreeNode>();
  private readonly byPath = new Map<string, TreeNode>();
  /** Ids that shall be ticked as soon as they are found. */
  private readonly awaited = new Set<string>();

  node(id: string): TreeNode | undefined {
    return this.byId.get(id);
  }

  await(ids: Iterable<string>): void {
    for (const id of ids) {
      const node = this.byId.get(id);
      if (node) this.tick(node, true);
      else this.awaited.add(id);
    }
  }

  /** Ids that were to be ticked and have not been found. */
  get missing(): string[] {
    return [...this.awaited];
  }

  /** Wait no longer for what has not been found. */
  forget(): void {
    this.awaited.clear();
  }

  /** Add rows as they come, parents first; `under` is the node that was opened. */
  add(rows: readonly NodeRow[], under: TreeNode | null = null): void {
    for (const row of rows) {
      if (this.byId.has(row.id)) continue;
      const parent = this.byId.get(row.parent) ?? (under || row.path.length < 2 ? under : this.above(row.path.slice(0, -1)));
      const node = this.put(row, parent);
      if (this.awaited.delete(row.id)) this.tick(node, true);
    }
  }

  /** The visible rows: what is open, or, with a filter, every match with its parents. */
  rows(filter = ""): TreeNode[] {
    const rows: TreeNode[] = [];
    const wanted = filter.trim().toLowerCase();
    if (wanted) for (const root of this.roots) this.matching(root, wanted, rows);
    else for (const root of this.roots) this.opened(root, rows);
    return rows;
  }

  state(node: TreeNode): Tick {
    if (node.pickable && !node.counts) return node.ticked ? "true" : "false";
    if (!node.chosen) return "false";
    return node.chosen === node.total ? "true" : "mixed";
  }

  /** Tick or untick a node with all values below it. */
  tick(node: TreeNode, on: boolean): void {
    if (node.pickable) this.set(node, on);
    for (const child of node.children) if (!child.pickable || child.counts) this.tick(child, on);
  }

  clear(): void {
    for (const node of [...this.ticked]) this.set(node, false);
  }

  /** Open a node and everything above it. */
  reveal(node: TreeNode): void {
    for (let above = node.parent; above; above = above.parent) above.open = true;
  }

  private set(node: TreeNode, on: boolean): void {
    if (node.ticked === on) return;
    node.ticked = on;
    if (on) this.ticked.add(node);
    else this.ticked.delete(node);
    if (node.counts) for (let at: TreeNode | null = node; at; at = at.parent) at.chosen += on ? 1 : -1;
  }

  private put(row: NodeRow, parent: TreeNode | null): TreeNode {
    const pickable = row.kind === "variable";
    const node: TreeNode = {
      id: row.id,
      name: row.name,
      path: parent ? [...parent.path, row.name] : [row.name],
      kind: row.kind,
      type: row.type,
      writable: row.writable,
      form: row.form ?? {},
      value: row.value ?? null,
      parent,
      level: parent ? parent.level + 1 : 1,
      children: [],
      pickable,
      counts: pickable && !row.property,
      branches: row.children,
      open: false,
      ticked: false,
      total: 0,
      chosen: 0,
    };
    this.byId.set(row.id, node);
    if (!pickable) this.branchNames.add(plain(row.name));
    this.size += 1;
    if (parent) parent.branches = true;
    (parent?.children ?? this.roots).push(node);
    if (node.counts) for (let at: TreeNode | null = node; at; at = at.parent) at.total += 1;
    return node;
  }

  /** Levels of a topic that no message came on are made as they are needed. */
  private above(path: string[]): TreeNode {
    const key = path.join("/");
    const known = this.byPath.get(key) ?? this.byId.get(key);
    if (known) return known;
    const parent = path.length > 1 ? this.above(path.slice(0, -1)) : null;
    const row = { id: `${key}/`, parent: "", name: path.at(-1) ?? "", path, kind: "object" as const, type: "", children: true, writable: false, property: false };
    const node = this.put(row, parent);
    this.byPath.set(key, node);
    return node;
  }

  private opened(node: TreeNode, rows: TreeNode[]): void {
    rows.push(node);
    if (node.open) for (const child of node.children) this.opened(child, rows);
  }

  private matching(node: TreeNode, wanted: string, rows: TreeNode[]): boolean {
    const at = rows.length;
    rows.push(node);
    let found = node.name.toLowerCase().includes(wanted) || node.id.toLowerCase().includes(wanted);
    for (const child of node.children) found = this.matching(child, wanted, rows) || found;
    if (!found) rows.length = at;
    return found;
  }
}
