/** The server's clock, learnt from its frames: a browser with a wrong clock must not call data old or new. */
class Clock {
  /** Server time in ms, renewed once a second for what is drawn with it. */
  second = $state(Date.now());
  private offset = 0;
  private known = false;

  constructor() {
    setInterval(() => (this.second = this.now()), 1000);
  }

  now(): number {
    return steady() + this.offset;
  }

  /** Frames arrive late, never early: the largest difference is the truest. It sinks slowly to follow a drift. */
  heard(serverTime: number): void {
    const difference = serverTime - steady();
    if (!this.known || difference > this.offset) this.offset = difference;
    else this.offset += (difference - this.offset) * 0.002;
    if (!this.known) this.second = this.now();
    this.known = true;
  }
}

/** The browser's time, but never set: somebody who corrects the clock must not make values old. */
function steady(): number {
  return performance.timeOrigin + performance.now();
}

export const clock = new Clock();
