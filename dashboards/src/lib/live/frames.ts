import { decode } from "@msgpack/msgpack";

export type TextSample = [index: number, time: number, text: string | null, quality: number];

export interface Hello {
  k: "hello";
  time: number;
  tags: string[];
}

/** Samples in columns; `index` points into the tags of the last hello. */
export interface Values {
  k: "values";
  seq: number;
  time: number;
  index: Int32Array;
  at: Float64Array;
  value: Float64Array;
  quality: Uint32Array;
  texts: TextSample[];
}

export interface Topic {
  k: "alarms" | "predictions";
  time?: number;
  items: unknown[];
}

export interface HealthFrame {
  k: "health";
  time?: number;
  value: unknown;
}

export interface Gap {
  k: "gap";
  time?: number;
}

export type Frame = Hello | Values | Topic | HealthFrame | Gap;

const EMPTY = new Uint8Array(0);

/** Read one binary frame. Bytes that are no known frame give `null`: a newer server may send more kinds. */
export function readFrame(bytes: ArrayBuffer | Uint8Array): Frame | null {
  const raw = decode(bytes) as Record<string, unknown> | null;
  if (!raw || typeof raw !== "object") return null;
  switch (raw["k"]) {
    case "values":
      return values(raw);
    case "hello":
    case "alarms":
    case "predictions":
    case "health":
    case "gap":
      return raw as unknown as Frame;
    default:
      return null;
  }
}

function values(raw: Record<string, unknown>): Values {
  return {
    k: "values",
    seq: raw["seq"] as number,
    time: raw["time"] as number,
    index: new Int32Array(aligned(raw["i"])),
    at: new Float64Array(aligned(raw["t"])),
    value: new Float64Array(aligned(raw["v"])),
    quality: new Uint32Array(aligned(raw["q"])),
    texts: (raw["x"] as TextSample[] | undefined) ?? [],
  };
}

/** A column starts anywhere in the frame; typed arrays need it at a multiple of their width. */
function aligned(column: unknown): ArrayBuffer {
  const bytes = (column as Uint8Array | undefined) ?? EMPTY;
  return bytes.slice().buffer as ArrayBuffer;
}
