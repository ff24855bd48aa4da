/** Runs at most `width` jobs at a time: forty tiles must not ask forty questions at once. */
export class Queue {
  private running = 0;
  private readonly waiting: (() => Promise<void>)[] = [];

  constructor(private readonly width: number) {}

  add(job: () => Promise<void>): void {
    this.waiting.push(job);
    this.next();
  }

  private next(): void {
    while (this.running < this.width) {
      const job = this.waiting.shift();
      if (!job) return;
      this.running++;
      void job().finally(() => {
        this.running--;
        this.next();
      });
    }
  }
}

export const historyQueue = new Queue(3);
