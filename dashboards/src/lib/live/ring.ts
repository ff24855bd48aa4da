/** The last `capacity` samples of one tag in memory that never grows; `times` and `values` are views, not copies. */
export class Ring {
  private readonly t: Float64Array;
  private readonly v: Float64Array;
  private end = 0;
  private start = 0;

  constructor(readonly capacity: number) {
    this.t = new Float64Array(capacity * 2);
    this.v = new Float64Array(capacity * 2);
  }

  get length(): number {
    return this.end - this.start;
  }

  get times(): Float64Array {
    return this.t.subarray(this.start, this.end);
  }

  get values(): Float64Array {
    return this.v.subarray(this.start, this.end);
  }

  get newest(): number {
    return this.length ? this.t[this.end - 1]! : Number.NEGATIVE_INFINITY;
  }

  clear(): void {
    this.start = this.end = 0;
  }

  /** Add a sample; one that is not newer than the newest is a repetition and is left out. */
  push(time: number, value: number): boolean {
    if (time <= this.newest) return false;
    if (this.end === this.t.length) this.compact();
    this.t[this.end] = time;
    this.v[this.end++] = value;
    if (this.length > this.capacity) this.start++;
    return true;
  }

  /** Forget what ended before `time`, but keep the sample that still holds then. */
  trim(time: number): void {
    while (this.start + 1 < this.end && this.t[this.start + 1]! <= time) this.start++;
  }

  private compact(): void {
    this.t.copyWithin(0, this.start, this.end);
    this.v.copyWithin(0, this.start, this.end);
    this.end -= this.start;
    this.start = 0;
  }
}
