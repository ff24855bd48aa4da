import uPlot from "uplot";
import type { Alarm, Tag } from "../api/types.ts";
import { fixed } from "../format/numbers.ts";
import { axisLabels } from "../format/times.ts";
import type { Span } from "../live/series.ts";
import { heldAt, lowerBound, traceHeld } from "./held.ts";
import { extent } from "./spark.ts";

/** Left of a chart: the same everywhere, so that trends and timelines share one time axis. */
export const GUTTER = 64;
export const MARGIN = 14;

export interface Marks {
  alarms: readonly Alarm[];
  bad: readonly Span[];
  /** The last value holds until here (ms). */
  until: number;
}

interface Options {
  tag: Tag;
  width: number;
  height: number;
  group: string;
  marks: () => Marks;
  zoom: (from: number, to: number) => void;
  cursor: (index: number | null) => void;
}

interface Ink {
  text: string;
  grid: string;
  band: string;
  trace: string;
  edge: string;
  hatch: string;
  priority: string[];
  font: string;
}

/** A trend of one tag: its held values, between the lowest and highest of every bucket, over its normal band. */
export function chart(host: HTMLElement, options: Options): uPlot {
  const ink = inks(host);
  const { tag } = options;
  const plot = new uPlot(
    {
      width: options.width,
      height: options.height,
      padding: [8, MARGIN, 0, 0],
      legend: { show: false },
      cursor: { sync: { key: options.group, setSeries: false }, drag: { x: true, y: false, setScale: false }, points: { size: 7 }, y: false, dataIdx: (u, _s, _i, time) => Math.max(0, heldAt(u.data[0], time)) },
      scales: { x: { time: true }, y: { range: (u) => range(u, tag) } },
      axes: [
        { stroke: ink.text, grid: { stroke: ink.grid, width: 1 }, ticks: { show: false }, font: ink.font, size: 28, space: 90, values: (_u, ticks, _i, _s, step) => axisLabels(ticks, step) },
        { stroke: ink.text, grid: { stroke: ink.grid, width: 1 }, ticks: { show: false }, font: ink.font, size: GUTTER, space: 36, values: (_u, ticks) => yLabels(ticks) },
      ],
      series: [
        {},
        { stroke: ink.trace, width: 1.6, points: { show: false }, paths: (u) => held(u, options.marks().until) },
        { show: false },
        { show: false },
      ],
      hooks: {
        drawClear: [(u) => underlay(u, tag, ink), (u) => extremes(u, options.marks().until, ink)],
        draw: [(u) => overlay(u, tag, options.marks(), ink)],
        setSelect: [(u) => selected(u, options.zoom)],
        setCursor: [(u) => options.cursor(u.cursor.idx == null ? null : (u.cursor.idxs?.[1] ?? null))],
      },
    },
    [0, 1, 2, 3].map(() => new Float64Array(0)) as unknown as uPlot.AlignedData,
    host,
  );
  return plot;
}

function inks(host: HTMLElement): Ink {
  const style = getComputedStyle(host);
  const read = (name: string): string => style.getPropertyValue(name).trim();
  return {
    text: read("--muted"),
    grid: read("--well"),
    band: read("--band"),
    trace: read("--trace"),
    edge: read("--edge"),
    hatch: read("--edge"),
    priority: ["--p1", "--p1", "--p2", "--p3"].map(read),
    font: `${Math.round(parseFloat(style.fontSize) * 0.8)}px ${style.fontFamily}`,
  };
}

function range(u: uPlot, tag: Tag): [number, number] {
  const [x0, x1] = [u.scales["x"]!.min ?? 0, u.scales["x"]!.max ?? 0];
  const times = u.data[0];
  const first = Math.max(0, lowerBound(times, x0) - 1);
  const last = Math.min(times.length, lowerBound(times, x1) + 1);
  const low = extent((u.data[2] as Float64Array).subarray(first, last), tag.normal);
  const high = extent((u.data[3] as Float64Array).subarray(first, last), tag.normal);
  return [Math.min(low[0], high[0]), Math.max(low[1], high[1])];
}

function held(u: uPlot, until: number): uPlot.Series.Paths {
  const stroke = new Path2D();
  const { min = 0, max = 0 } = u.scales["x"]!;
  const [x, y] = [(v: number) => u.valToPos(v, "x", true), (v: number) => u.valToPos(v, "y", true)];
  traceHeld(stroke, u.data[0], u.data[1] as Float64Array, x, y, min, Math.min(max, until / 1000));
  return { stroke, flags: 1 };
}

/** The span between the lowest and highest of every bucket, as wide as its line is held. */
function extremes(u: uPlot, until: number, ink: Ink): void {
  const [times, , low, high] = u.data as unknown as Float64Array[];
  const { min = 0, max = 0 } = u.scales["x"]!;
  const end = Math.min(max, until / 1000);
  const { ctx } = u;
  ctx.save();
  ctx.beginPath();
  for (let i = Math.max(0, heldAt(times!, min)); i < times!.length && times![i]! <= end; i++) {
    if (!(high![i]! > low![i]!)) continue;
    const x0 = Math.round(u.valToPos(Math.max(min, times![i]!), "x", true));
    const x1 = Math.round(u.valToPos(Math.min(end, times![i + 1] ?? end), "x", true));
    const top = u.valToPos(high![i]!, "y", true);
    ctx.rect(x0, top, Math.max(1, x1 - x0), u.valToPos(low![i]!, "y", true) - top);
  }
  ctx.globalAlpha = 0.38;
  ctx.fillStyle = ink.trace;
  ctx.fill();
  ctx.restore();
}

function yLabels(ticks: number[]): string[] {
  const step = Math.abs((ticks[1] ?? 1) - (ticks[0] ?? 0));
  const decimals = [0, 1, 2, 3, 4, 5, 6].find((d) => Math.abs(step * 10 ** d - Math.round(step * 10 ** d)) < 1e-6) ?? 6;
  return ticks.map((tick) => fixed(tick, decimals));
}

function underlay(u: uPlot, tag: Tag, ink: Ink): void {
  if (!tag.normal) return;
  const { left, top, width, height } = u.bbox;
  const clamp = (y: number): number => Math.min(top + height, Math.max(top, y));
  const high = clamp(u.valToPos(tag.normal[1], "y", true));
  const low = clamp(u.valToPos(tag.normal[0], "y", true));
  u.ctx.save();
  u.ctx.globalAlpha = 0.5;
  u.ctx.fillStyle = ink.band;
  u.ctx.fillRect(left, high, width, low - high);
  u.ctx.restore();
}

function overlay(u: uPlot, tag: Tag, marks: Marks, ink: Ink): void {
  const { left, top, width, height } = u.bbox;
  const { ctx } = u;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  for (const span of marks.bad) hatch(u, span, ink);
  for (const limit of tag.limits) {
    const y = u.valToPos(limit.value, "y", true);
    ctx.strokeStyle = ink.edge;
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
    line(ctx, left, y, left + width, y);
  }
  ctx.setLineDash([]);
  for (const alarm of marks.alarms) flag(u, alarm, ink);
  ctx.restore();
}

function line(ctx: CanvasRenderingContext2D, x0: number, y0: number, x1: number, y1: number): void {
  ctx.beginPath();
  ctx.moveTo(x0, y0);
  ctx.lineTo(x1, y1);
  ctx.stroke();
}

function hatch(u: uPlot, span: Span, ink: Ink): void {
  const { top, height } = u.bbox;
  const x0 = u.valToPos(span.from / 1000, "x", true);
  const x1 = Math.max(u.valToPos(span.to / 1000, "x", true), x0 + 2);
  const { ctx } = u;
  ctx.save();
  ctx.beginPath();
  ctx.rect(x0, top, x1 - x0, height);
  ctx.clip();
  ctx.strokeStyle = ink.hatch;
  ctx.globalAlpha = 0.6;
  ctx.lineWidth = devicePixelRatio;
  const step = 8 * devicePixelRatio;
  const firstX = Math.floor((x0 - height) / step) * step;
  for (let x = firstX; x < x1; x += step) line(ctx, x, top + height, x + height, top);
  ctx.restore();
}

/** A line at the start of an alarm with the shape of its priority on top. */
function flag(u: uPlot, alarm: Alarm, ink: Ink): void {
  const x = u.valToPos(alarm.since / 1000, "x", true);
  const { top, height } = u.bbox;
  const { ctx } = u;
  const r = 6 * devicePixelRatio;
  ctx.strokeStyle = ink.edge;
  ctx.lineWidth = devicePixelRatio;
  line(ctx, x, top, x, top + height);
  ctx.fillStyle = ink.priority[alarm.priority] ?? ink.edge;
  ctx.strokeStyle = ink.text;
  ctx.beginPath();
  if (alarm.priority === 1) ctx.rect(x - r, top + 2, 2 * r, 2 * r);
  else if (alarm.priority === 2) polygon(ctx, [[x, top + 2], [x + r, top + 2 + 2 * r], [x - r, top + 2 + 2 * r]]);
  else polygon(ctx, [[x, top + 2], [x + r, top + 2 + r], [x, top + 2 + 2 * r], [x - r, top + 2 + r]]);
  ctx.fill();
  ctx.stroke();
}

function polygon(ctx: CanvasRenderingContext2D, points: [number, number][]): void {
  points.forEach(([x, y], i) => (i ? ctx.lineTo(x, y) : ctx.moveTo(x, y)));
  ctx.closePath();
}

function selected(u: uPlot, zoom: (from: number, to: number) => void): void {
  const { left, width } = u.select;
  if (width < 4) return;
  const from = u.posToVal(left, "x") * 1000;
  const to = u.posToVal(left + width, "x") * 1000;
  u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  zoom(from, to);
}
