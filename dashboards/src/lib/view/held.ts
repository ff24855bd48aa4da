/**
 * A historian stores a sample when the value changes by more than its deadband, so between two samples the value was
 * the earlier one: it is held, as a step. A ramp between them would show values that never were. What is held ends at
 * a sample of bad quality (NaN here), and at `until`: nobody knows a value of the future or of a silent server.
 */

export interface Pen {
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
}

type Scale = (value: number) => number;

/** Index of the first value that is not below `wanted`. */
export function lowerBound(values: ArrayLike<number>, wanted: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Index of the newest sample at or before a time, -1 when there is none. */
export function heldAt(times: ArrayLike<number>, time: number): number {
  const at = lowerBound(times, time);
  return times[at] === time ? at : at - 1;
}

/** Draw samples as held values; samples in one pixel column become its lowest, highest and last. */
export function traceHeld(pen: Pen, times: ArrayLike<number>, values: ArrayLike<number>, x: Scale, y: Scale, from: number, until: number): void {
  let down = false;
  let [column, low, high, last] = [0, 0, 0, 0];
  const finish = (): void => {
    if (!down) return;
    if (low !== last) pen.lineTo(column, low);
    if (high !== last) pen.lineTo(column, high);
    if (low !== high) pen.lineTo(column, last);
  };
  for (let i = Math.max(0, heldAt(times, from)); i < times.length && times[i]! <= until; i++) {
    const value = values[i]!;
    const px = Math.round(x(Math.max(from, times[i]!)));
    if (Number.isNaN(value)) {
      finish();
      if (down) pen.lineTo(px, last);
      down = false;
      continue;
    }
    const py = y(value);
    if (!down) {
      pen.moveTo(px, py);
      [column, low, high] = [px, py, py];
      down = true;
    } else if (px === column) {
      low = Math.min(low, py);
      high = Math.max(high, py);
    } else {
      finish();
      pen.lineTo(px, last);
      pen.lineTo(px, py);
      [column, low, high] = [px, py, py];
    }
    last = py;
  }
  finish();
  if (down) pen.lineTo(Math.max(column, Math.round(x(until))), last);
}
