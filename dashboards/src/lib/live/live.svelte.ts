import { get } from "../api/http.ts";
import type { Latest, Scalar } from "../api/types.ts";
import { clock } from "./clock.svelte.ts";
import { type Frame, type Values, readFrame } from "./frames.ts";
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
  private readonly refillers = new Set<() => void>();
  private readonly listeners = new Set<TopicListener>();
  private names: string[] = [];
  private heardAt = performance.now();
  private lastFrame = Number.NaN;
  private drawing = false;
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
    return sample?.pace.overdue(now - sample.time) ? sample.time : now;
  }

  /** Ask for these tags until the returned function is called. */
  watch(tags: readonly string[]): () => void {
    for (const tag of tags) this.watched.set(tag, (this.watched.get(tag) ?? 0) + 1);
    this.subscribeSoon();
    return () => {
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

  /** Call when samples may be missing (gap, reconnect, hidden tab): the caller asks the history again. */
  onRefill(refill: () => void): () => void {
    this.refillers.add(refill);
    return () => this.refillers.delete(refill);
  }

  onTopic(listener: TopicListener): void {
    this.listeners.add(listener);
  }

  private opened(): void {
    this.link = "open";
    this.subscribe();
    void this.fill([...this.watched.keys()]);
    this.refill();
  }

  private visibility(): void {
    this.subscribe();
    if (document.hidden) return;
    void this.fill([...this.watched.keys()]);
    this.refill();
  }

  private refill(): void {
    for (const one of this.refillers) one();
  }

  private subscribeSoon(): void {
    clearTimeout(this.asking);
    this.asking = setTimeout(() => {
      this.subscribe();
      void this.fill([...this.watched.keys()].filter((tag) => !this.samples.has(tag)));
    }, 30);
  }

  private subscribe(): void {
    const tags = document.hidden ? [] : [...this.watched.keys()];
    this.socket.send({ subscribe: { tags, topics: document.hidden ? [] : TOPICS } });
  }

  private message(bytes: ArrayBuffer): void {
    const frame = readFrame(bytes);
    if (!frame) return;
    this.heardAt = performance.now();
    if (typeof frame.time === "number") {
      clock.heard(frame.time);
      this.lastFrame = frame.time;
    }
    if (frame.k === "hello") this.names = frame.tags;
    else if (frame.k === "values") this.apply(frame);
    else if (frame.k === "gap") this.refill();
    else for (const listener of this.listeners) listener(frame);
    this.draw();
  }

  private apply(frame: Values): void {
    for (let i = 0; i < frame.index.length; i++) {
      const tag = this.names[frame.index[i]!];
      if (tag === undefined) continue;
      const raw = frame.value[i]!;
      this.put(tag, frame.at[i]!, Number.isNaN(raw) ? null : raw, frame.quality[i]!);
      const followers = this.followers.get(tag);
      if (followers) for (const follower of followers) follower(frame.at[i]!, raw, frame.quality[i]!);
    }
    for (const [index, time, text, quality] of frame.texts) {
      const tag = this.names[index];
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
      if (this.stale && performance.now() - this.heardAt < STALE_MS) this.stale = false;
    });
  }

  private everySecond(): void {
    this.beat++;
    this.stale = performance.now() - this.heardAt > STALE_MS;
  }
}

export const live = new Live();
