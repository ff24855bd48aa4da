import { plant } from "../plant.svelte.ts";
import { ask, call, isAbort } from "./calls.ts";
import { address, common, plain, proposedName } from "./names.ts";
import { Tree, type TreeNode } from "./tree.ts";
import type { Certificate, Checked, Entry, Finding, NodeRow, Pick, Written } from "./types.ts";
import { Watching } from "./watching.svelte.ts";

const DEPTH = 30;
const ARRIVAL_MS = 1500;
const ARRIVAL_TURNS = 20;
/** Steps of the doctor after which it can be seen what is offered. */
const ENTRANCES: ReadonlySet<string> = new Set(["browse", "subscription"]);

/** One connection while it is made or changed: address, findings, tree, picks, and the text that all of it becomes. */
export class Connecting {
  url = $state("");
  security = $state("Basic256Sha256");
  options = $state<Record<string, unknown>>({});
  name = $state("");
  asset = $state("");
  phase = $state<"address" | "examining" | "browsing" | "ready">("address");
  findings = $state.raw<Finding[]>([]);
  waiting = $state.raw<Certificate[]>([]);
  failure = $state("");
  /** There is more than was sent; branches open one by one. */
  cut = $state(false);
  version = $state(0);
  entry = $state.raw<Entry | null>(null);
  checked = $state.raw<Checked | null>(null);
  saved = $state("");
  /** Name and tags of the source that is being changed; empty for a new one. */
  origin = $state("");
  private before = new Set<string>();
  private taken: Pick[] = [];
  /** The source is examined as it is configured, with all its tags; any other time only the address. */
  private asItIs = false;
  saving = $state(false);
  /** The text is not yet what was chosen last. */
  pending = $state(false);
  tree = new Tree();
  /** Tags that somebody wrote, by node id. */
  private given = new Map<string, string>();
  examining = $state(false);
  private entered: Promise<boolean> = Promise.resolve(false);
  private run = new AbortController();
  private timer = 0;
  private asked = 0;

  readonly watching: Watching;

  constructor(readonly gateway: string) {
    this.watching = new Watching(gateway, (nodes) => ({ ...this.target, nodes, ...(this.isMqtt ? { forms: this.forms(nodes) } : {}) }));
  }

  private forms(ids: readonly string[]): object {
    return Object.fromEntries(ids.map((id) => [id, this.tree.node(id)?.form ?? {}]));
  }

  get isMqtt(): boolean {
    return /^mqtts?:/.test(this.url);
  }

  private get target(): object {
    return { url: this.url.trim(), ...(this.isMqtt ? {} : { security: this.security }), options: this.options };
  }

  /** Examine the address, and show what it offers as soon as somebody may look. */
  async connect(): Promise<void> {
    this.stop();
    const { signal } = (this.run = new AbortController());
    const kept = [...this.tree.ticked].map((node) => node.id);
    this.reset();
    this.tree.await(kept);
    this.name ||= proposedName(this.url);
    this.phase = "examining";
    try {
      await Promise.all([this.examine(signal), this.entered.then((open) => (open ? this.browse(signal) : undefined))]);
    } catch (error) {
      if (isAbort(error)) return;
      this.failure = (error as Error).message;
      this.phase = "address";
    }
  }

  private async examine(signal: AbortSignal): Promise<void> {
    this.examining = true;
    let enter: (open: boolean) => void = () => undefined;
    this.entered = new Promise((resolve) => (enter = resolve));
    try {
      await call<{ finding: Finding }>(this.gateway, "examine", this.asItIs ? { source: this.origin } : this.target, ({ finding }) => {
        this.findings = [...this.findings, finding];
        if (ENTRANCES.has(finding.step) && finding.state === "ok") enter(true);
      }, signal);
      const blocked = this.findings.some(({ state }) => state === "failed");
      enter(!blocked);
      if (!blocked || this.phase !== "examining") return;
      await this.askCertificates(signal);
      this.phase = "address";
    } finally {
      enter(false);
      this.examining = false;
    }
  }

  private async browse(signal: AbortSignal): Promise<void> {
    this.phase = "browsing";
    await call<{ nodes?: NodeRow[]; cut?: boolean }>(
      this.gateway,
      "browse",
      { ...this.target, depth: DEPTH, seconds: 6 },
      ({ nodes, cut }) => {
        if (nodes) this.grow(nodes);
        if (cut) this.cut = true;
      },
      signal,
    );
    this.phase = "ready";
    this.settle();
  }

  private grow(rows: NodeRow[]): void {
    const first = this.tree.size === 0;
    this.tree.add(rows);
    if (first && this.tree.roots.length === 1) this.tree.roots[0]!.open = true;
    this.version += 1;
  }

  /** Open or close a branch; what is below it and has not come yet is asked for. */
  async toggle(node: TreeNode, open = !node.open): Promise<void> {
    node.open = open && node.branches;
    this.version += 1;
    if (node.open) await this.load(node);
  }

  private async load(node: TreeNode): Promise<void> {
    if (node.children.length || this.phase !== "ready" || this.isMqtt) return;
    try {
      await call<{ nodes?: NodeRow[] }>(this.gateway, "browse", { ...this.target, node: node.id, depth: DEPTH }, ({ nodes }) => {
        if (nodes) this.tree.add(nodes, node);
        this.version += 1;
      }, this.run.signal);
      if (!node.children.length) node.branches = false;
      this.version += 1;
    } catch (error) {
      if (!isAbort(error)) this.failure = (error as Error).message;
    }
  }

  /** Tick a node with all that is below it. */
  async tick(node: TreeNode, on = this.tree.state(node) !== "true"): Promise<void> {
    if (on && node.branches && !node.children.length) await this.load(node);
    this.tree.tick(node, on);
    this.changed();
  }

  rename(id: string, tag: string): void {
    if (tag.trim()) this.given.set(id, tag.trim());
    else this.given.delete(id);
    this.changed();
  }

  /** Something that the text is made of has changed. */
  changed(): void {
    this.version += 1;
    this.saved = "";
    this.settle();
  }

  private settle(): void {
    this.pending = true;
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.write(), 150);
  }

  private async write(): Promise<void> {
    const turn = (this.asked += 1);
    const picks = this.picks();
    if (!picks.length) {
      this.entry = this.checked = null;
      this.pending = false;
      return;
    }
    const body = { ...this.target, name: this.name.trim(), asset: this.asset, assets: this.candidates(), picks };
    try {
      const entry = await ask<Entry>(this.gateway, "entry", body, this.run.signal);
      if (turn !== this.asked) return;
      this.entry = entry;
      const checked = entry.problems.length ? null : await ask<Checked>(this.gateway, "check", { text: entry.text }, this.run.signal);
      if (turn !== this.asked) return;
      this.checked = checked;
      this.failure = "";
      this.pending = false;
    } catch (error) {
      if (!isAbort(error)) this.failure = (error as Error).message;
    }
  }

  /** What is ticked, and what the source had that the device does not show now: that stays until somebody leaves it out. */
  private picks(): Pick[] {
    const ticked = [...this.tree.ticked].map(({ id, path, form }) => ({ id, path, form, tag: this.given.get(id) ?? "" }));
    return [...ticked, ...this.taken.filter(({ id }) => this.tree.missing.includes(id))];
  }

  leaveOut(): void {
    this.tree.forget();
    this.changed();
  }

  /** The assets that picks may belong to, with the names of their tags. */
  private candidates(): Record<string, string[]> {
    const names = new Set<string>();
    if (!this.asset) for (const { path } of this.tree.ticked) for (const part of path) names.add(plain(part));
    const fitting = plant.assets.filter(({ path, asset }) => (this.asset ? path === this.asset : names.has(plain(asset))));
    return Object.fromEntries(fitting.map(({ path, tags }) => [path, tags.map(({ name }) => name)]));
  }

  /** Assets of the plant file that some branch of the tree is named after. */
  get found(): string[] {
    void this.version;
    return plant.assets.filter(({ asset }) => this.tree.branchNames.has(plain(asset))).map(({ path }) => path);
  }

  async save(): Promise<void> {
    if (!this.entry) return;
    this.saving = true;
    try {
      const { entry } = this;
      const { sentence } = await ask<{ sentence?: string }>(this.gateway, "save", { name: this.name.trim(), text: entry.text });
      this.saved = this.origin = this.name.trim();
      this.before = new Set(Object.values(entry.tags));
      void this.arrived([...this.before]);
      this.failure = sentence ?? "";
    } catch (error) {
      this.failure = (error as Error).message;
    } finally {
      this.saving = false;
    }
  }

  /** Wait until the server has heard of the new tags, so that every page knows them. */
  private async arrived(tags: readonly string[]): Promise<void> {
    for (let turn = 0; turn < ARRIVAL_TURNS && tags.some((tag) => !plant.tag(tag)); turn += 1) {
      await new Promise((resolve) => setTimeout(resolve, ARRIVAL_MS));
      await plant.loadAssets().catch((error: Error) => console.warn("new tags:", error.message));
    }
  }

  /** How many tags saving brings, and how many it takes away. */
  get effect(): { adds: number; removes: number } {
    const after = new Set(Object.values(this.entry?.tags ?? {}));
    return { adds: [...after].filter((tag) => !this.before.has(tag)).length, removes: [...this.before].filter((tag) => !after.has(tag)).length };
  }

  async judge(kind: "approve" | "reject", thumbprint: string): Promise<void> {
    await ask(this.gateway, kind, { thumbprint }).catch((error: Error) => (this.failure = error.message));
    if (kind === "approve") await this.connect();
    else this.waiting = this.waiting.filter((one) => one.thumbprint !== thumbprint);
  }

  private async askCertificates(signal: AbortSignal): Promise<void> {
    if (this.isMqtt) return;
    const { certificates } = await ask<{ certificates: Certificate[] }>(this.gateway, "certificates", {}, signal);
    const here = address(this.url);
    this.waiting = certificates.filter(({ state, url }) => state === "waiting" && (!url || address(url) === here));
  }

  /** Take over a source that exists, or a text that somebody brings. */
  async take(text: string, origin = ""): Promise<void> {
    try {
      const written = await ask<Written>(this.gateway, "entry", { text });
      this.name = written.name;
      this.url = written.url;
      this.security = written.security || this.security;
      this.options = written.options;
      this.origin = origin;
      this.before = new Set(origin ? written.picks.map(({ tag }) => tag) : []);
      this.taken = written.picks;
      this.asItIs = origin !== "";
      this.given = new Map(written.picks.map(({ id, tag }) => [id, tag]));
      this.tree.clear();
      this.tree.await(written.picks.map(({ id }) => id));
      this.asset = common(written.picks.map(({ tag }) => tag));
      this.failure = "";
      await this.connect();
      this.asItIs = false;
      for (const node of this.tree.ticked) this.tree.reveal(node);
      this.version += 1;
    } catch (error) {
      this.failure = (error as Error).message;
    }
  }

  private reset(): void {
    const missing = this.tree.missing;
    this.tree = new Tree();
    this.tree.await(missing);
    this.findings = [];
    this.waiting = [];
    this.watching.reset();
    this.entry = this.checked = null;
    this.failure = this.saved = "";
    this.cut = false;
    this.version += 1;
  }

  stop(): void {
    this.run.abort();
    this.watching.stop();
    clearTimeout(this.timer);
  }
}
