import uPlot from "uplot";
import type { Tag } from "../api/types.ts";
import { GUTTER, MARGIN, timeAxis, valueAxis } from "../view/axes.ts";
import type { Span } from "../live/series.ts";
import { type Gestures, gestures } from "../view/gestures.ts";
import { type Ink, inks } from "../view/ink.ts";
import { clip, dashed, hatch, path, reach, rings, underlay } from "../view/marks.ts";
import { type Traced, silence } from "./traced.svelte.ts";

/** A tag of a common chart: its colour goes round, its number stays its own. */
export interface Trace {
  tag: Tag;
  traced: Traced;
  number: number;
}

/** The lowest and highest of what is visible of a unit. */
export type Reach = (u: uPlot, unit: string) => [number, number];

interface Options extends Gestures {
  width: number;
  height: number;
  traces: readonly Trace[];
  /** The scale of each unit, where several charts share it. */
  reach?: Reach | undefined;
}

const FRAME_MS = 50;

/** One scale for several charts; while they follow the present it is worked out once for all of them. */
export function shared(traces: readonly Trace[], follows: () => boolean): Reach {
  const known = new Map<string, { at: number; reach: [number, number] }>();
  const normal = normalOf(traces);
  return (u, unit) => {
    const held = known.get(unit);
    const at = performance.now();
    if (held && follows() && at - held.at < FRAME_MS) return held.reach;
    const reach = common(u, traces.filter(({ tag }) => tag.unit === unit), normal);
    known.set(unit, { at, reach });
    return reach;
  };
}

const LABEL_PX = 18;
const RIBBON_PX = 16;
/** Widths of the axes left and right of a chart of so many units, on a desk. */
export const sides = (units: number): [number, number] => [Math.ceil(units / 2) * (GUTTER + LABEL_PX), Math.floor(units / 2) * (GUTTER + LABEL_PX) || MARGIN];

export const COLOURS = 6;
/** The name of the colour of a trace, in the style of the page. */
export const colourOf = (number: number): string => `--t${((number - 1) % COLOURS) + 1}`;

/** Several tags in one chart, with an axis for each unit: left, right, left … */
export function together(host: HTMLElement, options: Options): uPlot {
  const ink = inks(host);
  const { traces } = options;
  const style = getComputedStyle(host);
  const inked = traces.map((one): Inked => ({ ...one, colour: style.getPropertyValue(colourOf(one.number)).trim() }));
  const units = [...new Set(traces.map(({ tag }) => tag.unit))];
  const normal = normalOf(traces);
  const reach: Reach = options.reach ?? ((u, unit) => common(u, traces.filter(({ tag }) => tag.unit === unit), normal));
  const scales = Object.fromEntries(units.map((unit) => [unit || "1", { range: (u: uPlot) => reach(u, unit) }]));
  const axes = units.map((unit, i): uPlot.Axis => ({ ...valueAxis(ink), scale: unit || "1", side: i % 2 ? 1 : 3, label: unit || " ", labelSize: LABEL_PX * ink.scale, labelFont: ink.font, grid: { ...valueAxis(ink).grid, show: i === 0 } }));
  return new uPlot(
    {
      width: options.width,
      height: options.height,
      padding: [8, units.length > 1 ? 0 : MARGIN * ink.scale, 0, 0],
      legend: { show: false },
      cursor: { ...gestures.cursor(options), points: { show: false } },
      scales: { x: { time: true }, ...scales },
      axes: [timeAxis(ink), ...axes],
      series: [{}, ...units.map((unit): uPlot.Series => ({ scale: unit || "1", paths: () => null, points: { show: false } }))],
      hooks: { ...gestures.hooks(options), drawClear: [(u) => underlay(u, normal, units[0] || "1", ink)], draw: [(u) => draw(u, inked, ink)] },
    },
    [[0, 1], ...units.map(() => [null, null])] as unknown as uPlot.AlignedData,
    host,
  );
}

/** The normal range, where all have one unit and the same range: of others a band would not say whose it is. */
function normalOf(traces: readonly Trace[]): Tag["normal"] {
  const ranges = new Set(traces.map(({ tag }) => `${tag.unit} ${tag.normal}`));
  return ranges.size === 1 ? traces[0]!.tag.normal : null;
}

function common(u: uPlot, traces: readonly Trace[], normal: Tag["normal"]): [number, number] {
  const all = traces.flatMap(({ traced }) => [traced.series, traced.earlier].filter((one) => one.length).map((one) => reach(u, one.views(), normal)));
  return all.length ? [Math.min(...all.map(([low]) => low)), Math.max(...all.map(([, high]) => high))] : [0, 1];
}

interface Inked extends Trace {
  colour: string;
}

function draw(u: uPlot, traces: readonly Inked[], ink: Ink): void {
  const { ctx } = u;
  const silent = silence(traces.map(({ traced }) => traced));
  if (silent) hatch(u, silent, ink.hatch);
  for (const { tag, traced, colour } of traces) {
    const scale = tag.unit || "1";
    if (traced.earlier.length) dashed(u, traced.earlier.views(), scale, colour);
    ctx.save();
    clip(u);
    ctx.strokeStyle = colour;
    ctx.lineWidth = 1.8 * ink.scale * devicePixelRatio;
    ctx.stroke(path(u, traced.series.views(), scale, traced.until()));
    for (const span of traced.badSpans()) ribbon(u, traced, span, scale, colour);
    rings(u, traced.series.uncertain(traced.until()), scale, colour, ink);
    ctx.restore();
  }
  for (const { tag, traced, number, colour } of traces) badge(u, traced, tag.unit || "1", number, colour, ink);
}

/** Where a line is not known: hatched in its colour, where it was before or else is after. */
function ribbon(u: uPlot, { series }: Traced, span: Span, scale: string, colour: string): void {
  const value = [span.from - 1, span.to].map((time) => series.at(time)?.value ?? NaN).find((one) => !Number.isNaN(one));
  const height = RIBBON_PX * devicePixelRatio;
  if (value !== undefined) hatch(u, span, colour, { top: u.valToPos(value, scale, true) - height / 2, height });
}

/** The number of a trace where its line ends. */
function badge(u: uPlot, traced: Traced, scale: string, number: number, colour: string, ink: Ink): void {
  const { min = 0, max = 0 } = u.scales["x"]!;
  const share = 0.97 - ((number - 1) % 8) * 0.03;
  const time = Math.min(min + (max - min) * share, traced.until() / 1000);
  const value = traced.series.at(time * 1000)?.value ?? NaN;
  if (Number.isNaN(value)) return;
  const [x, y, r] = [u.valToPos(time, "x", true), u.valToPos(value, scale, true), 9 * ink.scale * devicePixelRatio];
  const { ctx } = u;
  ctx.save();
  ctx.fillStyle = colour;
  ctx.beginPath();
  ctx.arc(x, y, r, 0, 2 * Math.PI);
  ctx.fill();
  ctx.fillStyle = ink.panel;
  ctx.font = ink.font;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillText(String(number), x, y);
  ctx.restore();
}
