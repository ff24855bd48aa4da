import type uPlot from "uplot";
import type { Alarm, Tag } from "../api/types.ts";
import type { Columns, Span } from "../live/series.ts";
import { heldAt, lowerBound, traceHeld } from "./held.ts";
import type { Ink } from "./ink.ts";
import { extent } from "./spark.ts";

export interface Marks {
  alarms: readonly Alarm[];
  bad: readonly Span[];
  /** Uncertain values: a hollow ring each. */
  uncertain: readonly (Span & { value: number })[];
  /** The same tag at another time, moved into this one. */
  earlier: Columns | null;
  /** The last value holds until here (ms). */
  until: number;
}

const RING_EVERY_PX = 12;

/** The lowest and highest of what is visible of some columns, with room; the normal range is always in it. */
export function reach(u: uPlot, columns: Columns, normal: [number, number] | null): [number, number] {
  const [x0, x1] = [u.scales["x"]!.min ?? 0, u.scales["x"]!.max ?? 0];
  const times = columns[0];
  const first = Math.max(0, lowerBound(times, x0) - 1);
  const last = Math.min(times.length, lowerBound(times, x1) + 1);
  const low = extent(columns[2].subarray(first, last), normal);
  const high = extent(columns[3].subarray(first, last), normal);
  return [Math.min(low[0], high[0]), Math.max(low[1], high[1])];
}

/** Held values as a path on one scale of a chart. */
export function path(u: uPlot, [times, values]: Columns, scale: string, until: number): Path2D {
  const stroke = new Path2D();
  const { min = 0, max = 0 } = u.scales["x"]!;
  traceHeld(stroke, times, values, along(u, "x"), along(u, scale), min, Math.min(max, until / 1000));
  return stroke;
}

/** Where the values of a scale lie on the canvas: uPlot's `valToPos` without looking the scale up for every value. */
function along(u: uPlot, scale: string): (value: number) => number {
  const { left, top, width, height } = u.bbox;
  const { min, max } = u.scales[scale]!;
  const [low, high] = [min ?? 0, max ?? 1];
  const [start, length] = scale === "x" ? [left, width] : [top + height, -height];
  const each = length / (high - low);
  return (value) => start + (value - low) * each;
}

/** The compared time, dashed and thin: what is drawn solid is now. */
export function dashed(u: uPlot, columns: Columns, scale: string, colour: string): void {
  const { ctx } = u;
  const ratio = devicePixelRatio;
  ctx.save();
  clip(u);
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1.3 * ratio;
  ctx.setLineDash([5 * ratio, 4 * ratio]);
  ctx.stroke(path(u, columns, scale, Number.POSITIVE_INFINITY));
  ctx.restore();
}

export function clip(u: uPlot): void {
  const { left, top, width, height } = u.bbox;
  u.ctx.beginPath();
  u.ctx.rect(left, top, width, height);
  u.ctx.clip();
}

/** The span between the lowest and highest of every bucket, as wide as its line is held. */
export function extremes(u: uPlot, until: number, ink: Ink): void {
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

/** The normal range of what is drawn on one scale. */
export function underlay(u: uPlot, normal: Tag["normal"], scale: string, ink: Ink): void {
  if (!normal) return;
  const { left, top, width, height } = u.bbox;
  const clamp = (y: number): number => Math.min(top + height, Math.max(top, y));
  const high = clamp(u.valToPos(normal[1], scale, true));
  const low = clamp(u.valToPos(normal[0], scale, true));
  u.ctx.save();
  u.ctx.globalAlpha = 0.5;
  u.ctx.fillStyle = ink.band;
  u.ctx.fillRect(left, high, width, low - high);
  u.ctx.restore();
}

export function overlay(u: uPlot, tag: Tag, marks: Marks, ink: Ink): void {
  const { left, width } = u.bbox;
  const { ctx } = u;
  ctx.save();
  clip(u);
  for (const span of marks.bad) hatch(u, span, ink.hatch);
  for (const limit of tag.limits) {
    const y = u.valToPos(limit.value, "y", true);
    ctx.strokeStyle = ink.edge;
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
    line(ctx, left, y, left + width, y);
  }
  ctx.setLineDash([]);
  rings(u, marks.uncertain, "y", ink.trace, ink);
  for (const alarm of marks.alarms) flag(u, alarm, ink);
  ctx.restore();
}

/** Hollow rings along what is uncertain, no nearer to each other than can be told apart. */
export function rings(u: uPlot, spans: Marks["uncertain"], scale: string, colour: string, ink: Ink): void {
  const { ctx } = u;
  const ratio = devicePixelRatio;
  const right = u.bbox.left + u.bbox.width;
  let next = u.bbox.left;
  ctx.fillStyle = ink.panel;
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1.5 * ratio;
  for (const { from, to, value } of spans) {
    const y = u.valToPos(value, scale, true);
    const end = Math.min(right, u.valToPos(to / 1000, "x", true));
    for (let x = Math.max(next, u.valToPos(from / 1000, "x", true)); x <= end; x += RING_EVERY_PX * ratio) {
      ctx.beginPath();
      ctx.arc(x, y, 3.2 * ratio, 0, 2 * Math.PI);
      ctx.fill();
      ctx.stroke();
      next = x + RING_EVERY_PX * ratio;
    }
  }
}

function line(ctx: CanvasRenderingContext2D, x0: number, y0: number, x1: number, y1: number): void {
  ctx.beginPath();
  ctx.moveTo(x0, y0);
  ctx.lineTo(x1, y1);
  ctx.stroke();
}

/** Where nothing good is known: over the whole height, or as a ribbon where a line among others was last. */
export function hatch(u: uPlot, span: Span, colour: string, { top, height }: { top: number; height: number } = u.bbox): void {
  const x0 = u.valToPos(span.from / 1000, "x", true);
  const x1 = Math.max(u.valToPos(span.to / 1000, "x", true), x0 + 2);
  const { ctx } = u;
  ctx.save();
  ctx.beginPath();
  ctx.rect(x0, top, x1 - x0, height);
  ctx.clip();
  ctx.strokeStyle = colour;
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
  const r = 6 * ink.scale * devicePixelRatio;
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
