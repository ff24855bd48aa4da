import uPlot from "uplot";
import type { Tag } from "../api/types.ts";
import type { Columns } from "../live/series.ts";
import { MARGIN, timeAxis, valueAxis } from "./axes.ts";
import { type Gestures, gestures } from "./gestures.ts";
import { heldAt } from "./held.ts";
import { inks } from "./ink.ts";
import { type Marks, dashed, extremes, overlay, path, reach, underlay } from "./marks.ts";

interface Options extends Gestures {
  tag: Tag;
  width: number;
  height: number;
  group: string;
  marks: () => Marks;
}

/** A trend of one tag: its held values, between the lowest and highest of every bucket, over its normal band. */
export function chart(host: HTMLElement, options: Options): uPlot {
  const ink = inks(host);
  const { tag, marks } = options;
  const columns = (u: uPlot): Columns => u.data as unknown as Columns;
  const range = (u: uPlot): [number, number] => {
    const now = reach(u, columns(u), tag.normal);
    const { earlier } = marks();
    const then = earlier ? reach(u, earlier, tag.normal) : now;
    return [Math.min(now[0], then[0]), Math.max(now[1], then[1])];
  };
  const earlier = (u: uPlot): void => {
    const before = marks().earlier;
    if (before) dashed(u, before, "y", ink.text);
  };
  return new uPlot(
    {
      width: options.width,
      height: options.height,
      padding: [8, MARGIN * ink.scale, 0, 0],
      legend: { show: false },
      cursor: { ...gestures.cursor(options), dataIdx: (u, _s, _i, time) => Math.max(0, heldAt(u.data[0], time)) },
      scales: { x: { time: true }, y: { range } },
      axes: [timeAxis(ink), valueAxis(ink)],
      series: [{}, { stroke: ink.trace, width: 1.6 * ink.scale, points: { show: false }, paths: (u) => ({ stroke: path(u, columns(u), "y", marks().until), flags: 1 }) }, { show: false }, { show: false }],
      hooks: {
        ...gestures.hooks(options),
        drawClear: [(u) => underlay(u, tag.normal, "y", ink), (u) => extremes(u, marks().until, ink), earlier],
        draw: [(u) => overlay(u, tag, marks(), ink)],
      },
    },
    [0, 1, 2, 3].map(() => new Float64Array(0)) as unknown as uPlot.AlignedData,
    host,
  );
}
