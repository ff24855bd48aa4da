/** The course of a prediction as paths of SVG, in a box of 100 by 100. */
export interface Course {
  line: string;
  band: string;
  low: number;
  high: number;
}

type Values = readonly (number | null)[];
type At = (i: number, one: number) => string;

/** Lines break where a value is missing; the band is what lies between the ends of the intervals. */
export function course(time: readonly number[], value: Values, low: Values = [], high: Values = []): Course | null {
  const known = [...value, ...low, ...high].filter((one): one is number => one !== null && Number.isFinite(one));
  if (time.length < 2 || !known.length) return null;
  const bottom = Math.min(...known);
  const top = Math.max(...known, bottom + 1e-9);
  const from = time[0]!;
  const to = Math.max(time.at(-1)!, from + 1);
  const at: At = (i, one) => `${round(((time[i]! - from) / (to - from)) * 100)} ${round(100 - ((one - bottom) / (top - bottom)) * 100)}`;
  return { line: broken(value, at), band: area(low, high, at), low: bottom, high: top };
}

const round = (one: number): number => Math.round(one * 100) / 100;

function broken(value: Values, at: At): string {
  let pen = "M";
  return value
    .map((one, i) => {
      const step = one === null ? "" : `${pen}${at(i, one)}`;
      pen = one === null ? "M" : "L";
      return step;
    })
    .join("");
}

function area(low: Values, high: Values, at: At): string {
  const rows = low.flatMap((one, i): number[] => (one !== null && high[i] != null ? [i] : []));
  if (rows.length < 2) return "";
  const up = rows.map((i) => at(i, high[i]!));
  const down = [...rows].reverse().map((i) => at(i, low[i]!));
  return `M${[...up, ...down].join("L")}Z`;
}
