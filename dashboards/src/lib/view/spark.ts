import type { Ring } from "../live/ring.ts";
import { traceHeld } from "./held.ts";

/** Draw the ring between two times over the normal band, filling the canvas; the last value holds until `until`. */
export function drawSpark(canvas: HTMLCanvasElement, ring: Ring, normal: [number, number] | null, from: number, to: number, until = to): void {
  const context = fitted(canvas);
  if (!context) return;
  const { width, height } = canvas;
  const style = getComputedStyle(canvas);
  const [low, high] = extent(ring.values, normal);
  const y = (value: number): number => height - ((value - low) / (high - low)) * height;
  context.clearRect(0, 0, width, height);
  if (normal) {
    context.fillStyle = style.getPropertyValue("--band");
    context.globalAlpha = 0.55;
    context.fillRect(0, y(normal[1]), width, y(normal[0]) - y(normal[1]));
    context.globalAlpha = 1;
  }
  context.strokeStyle = style.getPropertyValue("--trace");
  context.lineWidth = Math.min(2 * (devicePixelRatio || 1), Math.max(1.25, height / 40));
  context.lineJoin = "round";
  context.beginPath();
  traceHeld(context, ring.times, ring.values, (time) => ((time - from) / (to - from)) * width, y, from, Math.min(to, until));
  context.stroke();
}

function fitted(canvas: HTMLCanvasElement): CanvasRenderingContext2D | null {
  const ratio = devicePixelRatio || 1;
  const width = Math.round(canvas.clientWidth * ratio);
  const height = Math.round(canvas.clientHeight * ratio);
  if (!width || !height) return null;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  return canvas.getContext("2d");
}

/** The range to draw: the values, and the normal band where that does not flatten them. */
export function extent(values: ArrayLike<number>, normal: [number, number] | null): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (normal) {
    low = Math.min(low, normal[0]);
    high = Math.max(high, normal[1]);
  }
  if (!Number.isFinite(low) || !Number.isFinite(high)) return [0, 1];
  const room = (high - low) * 0.08 || Math.abs(high) * 0.05 || 1;
  return [low - room, high + room];
}
