type Column = readonly (number | null)[];

/** Where the points of a chart stand: evenly, in their order, as is usual in SPC. */
export interface Place {
  x: (i: number) => number;
  y: (value: number) => number;
}

/** The lowest and highest of all columns with some room; a chart of nothing spans 0 to 1. */
export function span(...columns: Column[]): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const column of columns) {
    for (const value of column) {
      if (value === null) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  if (low > high) return [0, 1];
  const room = (high - low) * 0.07 || Math.abs(high) * 0.05 || 1;
  return [low - room, high + room];
}

export function place(n: number, range: readonly [number, number], left: number, top: number, width: number, height: number): Place {
  const step = width / Math.max(1, n);
  return {
    x: (i) => left + (i + 0.5) * step,
    y: (value) => top + height - ((value - range[0]) / (range[1] - range[0])) * height,
  };
}

/** A line from point to point; a missing one interrupts it. */
export function trace(column: Column, at: Place): string {
  let path = "";
  let pen = "M";
  column.forEach((value, i) => {
    if (value === null) return void (pen = "M");
    path += `${pen}${at.x(i).toFixed(1)} ${at.y(value).toFixed(1)}`;
    pen = "L";
  });
  return path;
}

/** A limit: level around each point, so that limits of subgroups of different sizes are steps. */
export function steps(column: Column, at: Place): string {
  const half = (at.x(1) - at.x(0)) / 2;
  let path = "";
  let last: number | null = null;
  column.forEach((value, i) => {
    if (value === null) return void (last = null);
    const y = at.y(value).toFixed(1);
    path += last === null ? `M${(at.x(i) - half).toFixed(1)} ${y}` : last === value ? "" : `V${y}`;
    if (value !== column[i + 1]) path += `H${(at.x(i) + half).toFixed(1)}`;
    last = value;
  });
  return path;
}

/** So many thirds of the way from the centre line to a limit: where a zone ends. */
export function zone(centre: Column, limit: Column, thirds: number): Column {
  return centre.map((middle, i) => {
    const end = limit[i];
    return middle === null || end === null || end === undefined ? null : middle + ((end - middle) * thirds) / 3;
  });
}

/** The area between two limits. */
export function band(low: Column, high: Column, at: Place): string {
  const half = (at.x(1) - at.x(0)) / 2;
  let path = "";
  low.forEach((value, i) => {
    const end = high[i];
    if (value === null || end === null || end === undefined) return;
    path += `M${(at.x(i) - half).toFixed(1)} ${at.y(value).toFixed(1)}V${at.y(end).toFixed(1)}h${(2 * half).toFixed(2)}V${at.y(value).toFixed(1)}Z`;
  });
  return path;
}

/** Points whose time is written below them. */
export function labelled(n: number, width: number): number[] {
  const most = Math.max(1, Math.min(n, Math.floor(width / 150)));
  return Array.from({ length: most }, (_, i) => Math.floor(((i + 0.5) * n) / most));
}

/** The signal before or after a point; the point itself where there is none. */
export function nextSignal(broken: readonly (readonly string[])[], from: number | null, step: 1 | -1): number | null {
  for (let i = from === null ? (step > 0 ? 0 : broken.length - 1) : from + step; i >= 0 && i < broken.length; i += step) if (broken[i]!.length) return i;
  return from;
}
