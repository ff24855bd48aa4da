import { stateKind } from "./lines.ts";

export interface Segment {
  from: number;
  to: number;
  state: string;
}

/** States between two times; the last known one lasts until `now`. */
export function segments(times: readonly number[], states: readonly unknown[], from: number, to: number, now: number): Segment[] {
  const result: Segment[] = [];
  for (let i = 0; i < times.length; i++) {
    const start = Math.max(from, times[i]!);
    const end = Math.min(to, times[i + 1] ?? now);
    const state = typeof states[i] === "string" ? (states[i] as string) : "";
    const last = result.at(-1);
    if (end <= start) continue;
    if (last?.state === state && last.to === start) last.to = end;
    else result.push({ from: start, to: end, state });
  }
  return result;
}

/** Share of the time in each state, the longest first. */
export function shares(all: readonly Segment[]): [string, number][] {
  const sums = new Map<string, number>();
  for (const { state, from, to } of all) sums.set(state, (sums.get(state) ?? 0) + to - from);
  const total = [...sums.values()].reduce((a, b) => a + b, 0) || 1;
  return [...sums].map(([state, sum]): [string, number] => [state, sum / total]).sort((a, b) => b[1] - a[1]);
}

/** Draw segments; a halt is dark and full height, waiting is low, running is half: shape tells what colour does not. */
export function drawTimeline(canvas: HTMLCanvasElement, all: readonly Segment[], from: number, to: number, label: (state: string) => string): void {
  const ratio = devicePixelRatio || 1;
  const width = Math.round(canvas.clientWidth * ratio);
  const height = Math.round(canvas.clientHeight * ratio);
  const context = canvas.getContext("2d");
  if (!context || !width || !height) return;
  Object.assign(canvas, { width, height });
  const style = getComputedStyle(canvas);
  const fills = { run: "--run", wait: "--wait", halt: "--halt" } as const;
  const tall = { run: 0.82, wait: 0.6, halt: 1 } as const;
  context.font = `${parseFloat(style.fontSize) * ratio * 0.8}px ${style.fontFamily}`;
  context.textBaseline = "middle";
  for (const { state, from: start, to: end } of all) {
    const kind = stateKind(state);
    const x = ((start - from) / (to - from)) * width;
    const w = Math.max(1, ((end - start) / (to - from)) * width);
    context.fillStyle = style.getPropertyValue(fills[kind]);
    context.fillRect(x, height * (1 - tall[kind]), w - (w > 4 ? 1 : 0), height * tall[kind]);
    const text = label(state);
    if (context.measureText(text).width > w - 10 * ratio) continue;
    context.fillStyle = style.getPropertyValue(kind === "halt" ? "--page" : "--text");
    context.fillText(text, x + 5 * ratio, height * (1 - tall[kind] / 2));
  }
}
