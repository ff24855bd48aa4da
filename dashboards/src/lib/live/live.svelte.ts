import { get } from "../api/http.ts";
import type { Latest, Scalar } from "../api/types.ts";
import { clock } from "./clock.svelte.ts";
import { Cursor } from "./cursor.ts";
import { type Frame, type Hello, type Part, type Values, readFrame } from "./frames.ts";
import { origins } from "./origins.ts";
import { Pace, STALE_MS } from "./pace.ts";
import { Socket } from "./socket.ts";

/** The newest value of a tag. Changed in place: read it again after every `tick` or `beat`. */
export interface Sample {
  time: number;
  value: Scalar;
  quality: number;
  pace: Pace;
}

type Follower = (time: number, value: number, quality: number) => void;
type TopicListener = (frame: Frame) => void;

const TOPICS = ["alarms", "predictions", "health"];
const ASK_BY_NAME = 80;

/** One connection per page load; it subscribes to what the visible page watches, and to nothing in a hidden tab. */
class Live {
  link = $state<"connecting" | "open" | "lost">("connecting");
  /** Counts drawn frames: whoever reads it is renewed with every frame, at most once per animation frame. */
  tick = $state(0);
  /** Counts seconds: for numbers that would only flicker faster. */
  beat = $state(0);
  /** Nothing was heard for three ticks. */
  stale = $state(false);
  /** Server time of the newest frame. */
  frameTime = $state(Number.NaN);

  private readonly samples = new Map<string, Sample>();
  private readonly watched = new Map<string, number>();
  private readonly followers = new Map<string, Set<Follower>>();
  private readonly refillers = new Set<(first: boolean) => void>();
  private readonly listeners = new Set<TopicListener>();
  private readonly heard = new Map<string, number>();
  private readonly names = new Map<number, string>();
  private readonly cursor = new Cursor();
  private quick = 0;
  private lastFrame = Number.NaN;
  private drawing = false;
  private expecting = false;
  private listened = false;
  private asking: ReturnType<typeof setTimeout> | undefined;
  private readonly socket = new Socket("/api/v1/live", {
    opened: () => this.opened(),
    closed: () => (this.link = "lost"),
    message: (bytes) => this.message(bytes),
  });

  start(): void {
    this.socket.open();
    setInterval(() => this.everySecond(), 1000);
    document.addEventListener("visibilitychange", () => this.visibility());
  }

  /** Read the newest value, renewed once a second. */
  slow(tag: string): Sample | undefined {
    void this.beat;
    return this.samples.get(tag);
  }

  /** Read the newest value, renewed with every frame. */
  fast(tag: string): Sample | undefined {
    void this.tick;
    return this.samples.get(tag);
  }

  /** Until when (ms) the newest value of a tag can be said to hold: now, unless the server or a tag that always speaks fell silent. */
  knownUntil(tag: string): number {
    const sample = this.samples.get(tag);
    const now = this.stale ? this.lastFrame : clock.now();
    return sample ? origins.knownUntil(tag, sample, now, true) : now;
  }

  /** Ask for these tags until the returned function is called: ten times a second, or once for an overview (level 1). */
  watch(tags: readonly string[], hz: 1 | 10 = 10): () => void {
    for (const tag of tags) this.watched.set(tag, (this.watched.get(tag) ?? 0) + 1);
    const quick = hz === 10 ? 1 : 0;
    this.quick += quick;
    this.subscribeSoon();
    return () => {
      this.quick -= quick;
      for (const tag of tags) {
        const left = (this.watched.get(tag) ?? 1) - 1;
        if (left > 0) this.watched.set(tag, left);
        else this.watched.delete(tag);
      }
      this.subscribeSoon();
    };
  }

  /** Hand every numeric sample of a watched tag over. */
  follow(tag: string, follower: Follower): () => void {
    const all = this.followers.get(tag) ?? new Set<Follower>();
    this.followers.set(tag, all.add(follower));
    return () => {
      all.delete(follower);
      if (!all.size) this.followers.delete(tag);
    };
  }

  /** Call when samples may be missing (gap, reconnect, hidden tab): the caller asks the history again. `first`: so far only what came before the page listened. */
  onRefill(refill: (first: boolean) => void): () => void {
    this.refillers.add(refill);
    return () => this.refillers.delete(refill);
  }

  onTopic(listener: TopicListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Hear of one more topic while a page shows it. */
  hear(topic: string, listener: TopicListener): () => void {
    this.heard.set(topic, (this.heard.get(topic) ?? 0) + 1);
    const stop = this.onTopic(listener);
    this.subscribeSoon();
    return () => {
      stop();
      const left = (this.heard.get(topic) ?? 1) - 1;
      if (left > 0) this.heard.set(topic, left);
      else this.heard.delete(topic);
      this.subscribeSoon();
    };
  }

  private opened(): void {
    this.link = "open";
    this.subscribe(true);
  }

  private visibility(): void {
    this.subscribe(!document.hidden);
  }

  /** The server could not go on where this page was: what is missing is asked of the history. */
  private anew(): void {
    void this.fill([...this.watched.keys()]);
    for (const one of this.refillers) one(!this.listened);
    this.listened = true;
  }

  private subscribeSoon(): void {
    clearTimeout(this.asking);
    this.asking = setTimeout(() => {
      this.subscribe();
      void this.fill([...this.watched.keys()].filter((tag) => !this.samples.has(tag)));
    }, 30);
  }

  /** Say what this page sees; `resume` after a break, to go on where it was. */
  private subscribe(resume = false): void {
    clearTimeout(this.asking);
    const tags = document.hidden ? [] : [...this.watched.keys()];
    const topics = document.hidden ? [] : [...TOPICS, ...this.heard.keys()];
    const hz = this.quick ? 10 : 1;
    this.socket.send({ subscribe: { tags, topics, hz, resume: resume ? this.cursor.told() : undefined } });
    this.expecting = resume;
  }

  private message(bytes: ArrayBuffer): void {
    const frame = readFrame(bytes);
    if (!frame) return;
    if ("time" in frame) {
      clock.heard(frame.time);
      this.lastFrame = frame.time;
    }
    if (frame.k === "hello") this.greeted(frame);
    else if (frame.k === "values") this.apply(frame);
    else if (frame.k === "gap") this.anew();
    else if (frame.k !== "beat") for (const listener of this.listeners) listener(frame);
    this.cursor.heard(frame);
    this.draw();
  }

  private greeted(hello: Hello): void {
    if (hello.first) this.names.clear();
    hello.tags.forEach((tag, i) => this.names.set(hello.numbers[i]!, tag));
    if (!hello.first || !this.expecting) return;
    this.expecting = false;
    if (hello.resumed) void this.fill([...this.watched.keys()].filter((tag) => !this.samples.has(tag)));
    else this.anew();
  }

  private apply(frame: Values): void {
    for (const part of frame.parts) this.applyPart(part);
  }

  private applyPart(part: Part): void {
    for (let i = 0; i < part.index.length; i++) {
      const tag = this.names.get(part.index[i]!);
      if (tag === undefined) continue;
      const raw = part.value[i]!;
      this.put(tag, part.at[i]!, Number.isNaN(raw) ? null : raw, part.quality[i]!);
      const followers = this.followers.get(tag);
      if (followers) for (const follower of followers) follower(part.at[i]!, raw, part.quality[i]!);
    }
    for (const [index, time, text, quality] of part.texts) {
      const tag = this.names.get(index);
      if (tag !== undefined) this.put(tag, time, text, quality);
    }
  }

  private put(tag: string, time: number, value: Scalar, quality: number): void {
    const sample = this.samples.get(tag);
    if (!sample) {
      const pace = new Pace();
      pace.heard(time);
      this.samples.set(tag, { time, value, quality, pace });
    } else if (time >= sample.time) {
      sample.pace.heard(time);
      sample.time = time;
      sample.value = value;
      sample.quality = quality;
    }
  }

  private async fill(tags: string[]): Promise<void> {
    if (!tags.length || document.hidden) return;
    try {
      const rows = await get<Latest[]>("latest", tags.length > ASK_BY_NAME ? {} : { tag: tags });
      for (const row of rows) this.put(row.tag, row.time, row.value, row.quality);
      this.beat++;
    } catch (error) {
      console.warn("latest values:", (error as Error).message);
    }
    this.draw();
  }

  private draw(): void {
    if (this.drawing) return;
    this.drawing = true;
    requestAnimationFrame(() => {
      this.drawing = false;
      this.tick++;
      this.frameTime = this.lastFrame;
      if (this.stale) this.stale = this.isLate();
    });
  }

  private everySecond(): void {
    this.beat++;
    this.stale = this.isLate();
  }

  /** By the server's clock: a frame that was long on its way is as old as it is. A hidden page hears nothing. */
  private isLate(): boolean {
    return !document.hidden && !(clock.now() - this.lastFrame <= STALE_MS);
  }
}

export const live = new Live();
