import type { Frame } from "./frames.ts";

export interface Resume {
  boot: string;
  seq: number;
  states: Record<string, number>;
}

/** How far this page has read, to go on there after a break. A server that was started again has another `boot`. */
export class Cursor {
  private boot = "";
  private seq = -1;
  private states: Record<string, number> = {};

  heard(frame: Frame): void {
    switch (frame.k) {
      case "hello":
        if (frame.boot !== this.boot) this.states = {};
        this.boot = frame.boot;
        if (!frame.resumed) this.seq = frame.seq;
        return;
      case "values":
      case "gap":
      case "beat":
        this.seq = Math.max(this.seq, frame.seq);
        return;
      case "alarms":
      case "predictions":
      case "charts":
        if (!frame.more) this.states[frame.k] = frame.seq;
        return;
      case "health":
        this.states["health"] = frame.seq;
    }
  }

  told(): Resume | undefined {
    return this.seq < 0 ? undefined : { boot: this.boot, seq: this.seq, states: this.states };
  }
}
