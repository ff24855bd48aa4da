import type uPlot from "uplot";
import { fixed } from "../format/numbers.ts";
import { TIME_STEPS, axisLabels, timeTicks } from "../format/times.ts";
import type { Ink } from "./ink.ts";

/** Left and right of a chart on a desk: the same everywhere, so that trends and timelines share one time axis. */
export const GUTTER = 64;
export const MARGIN = 14;
/** A width beside a chart, for what stands above or below it. */
export const rem = (px: number): string => `${px / 16}rem`;

/** The axis of the time, from 10 microseconds to ten years between two ticks. */
export function timeAxis(ink: Ink): uPlot.Axis {
  return { ...plain(ink), size: 28 * ink.scale, space: 96 * ink.scale, incrs: TIME_STEPS, splits: (_u, _i, from, to, step) => timeTicks(from, to, step), values: (_u, ticks, _i, _s, step) => axisLabels(ticks, step) };
}

/** The axis of a value. */
export function valueAxis(ink: Ink): uPlot.Axis {
  return { ...plain(ink), size: GUTTER * ink.scale, space: 36 * ink.scale, values: (_u, ticks) => labels(ticks) };
}

function plain(ink: Ink): uPlot.Axis {
  return { stroke: ink.text, grid: { stroke: ink.grid, width: 1 }, ticks: { show: false }, font: ink.font };
}

function labels(ticks: number[]): string[] {
  const step = Math.abs((ticks[1] ?? 1) - (ticks[0] ?? 0));
  const decimals = [0, 1, 2, 3, 4, 5, 6].find((d) => Math.abs(step * 10 ** d - Math.round(step * 10 ** d)) < 1e-6) ?? 6;
  return ticks.map((tick) => fixed(tick, decimals));
}
