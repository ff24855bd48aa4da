import { decode } from "@msgpack/msgpack";

export type TextSample = [index: number, time: number, text: string | null, quality: number];

/** Which number stands for which tag from now on; a large set comes in several, the first of which begins anew. */
export interface Hello {
  k: "hello";
  time: number;
  boot: string;
  seq: number;
  first: boolean;
  /** The server goes on where this page had got to: nothing is missing. */
  resumed: boolean;
  tags: string[];
  numbers: Int32Array;
}

/** Samples in columns; `index` are numbers of tags as the hello told them. */
export interface Part {
  index: Int32Array;
  at: Float64Array;
  value: Float64Array;
  quality: Uint32Array;
  texts: TextSample[];
}

export interface Values {
  k: "values";
  seq: number;
  time: number;
  parts: Part[];
}

/** Items that changed, and the keys of those that are gone; `whole` begins anew, `more` says that it goes on. */
export interface Topic {
  k: "alarms" | "predictions" | "charts";
  seq: number;
  whole: boolean;
  more: boolean;
  items: unknown[];
  gone: string[][];
}

export interface HealthFrame {
  k: "health";
  seq: number;
  value: unknown;
}

/** Too much was missed to send it again: ask the history. */
export interface Gap {
  k: "gap";
  seq: number;
  time: number;
}

/** Nothing happened, and the server is well. */
export interface Beat {
  k: "beat";
  seq: number;
  time: number;
}

export type Frame = Hello | Values | Topic | HealthFrame | Gap | Beat;

const EMPTY = new Uint8Array(0);

/** Read one binary frame. Bytes that are no known frame give `null`: a newer server may send more kinds. */
export function readFrame(bytes: ArrayBuffer | Uint8Array): Frame | null {
  const raw = decode(bytes) as Record<string, unknown> | null;
  if (!raw || typeof raw !== "object") return null;
  switch (raw["k"]) {
    case "values":
      return { k: "values", seq: raw["seq"] as number, time: raw["time"] as number, parts: (raw["parts"] as Record<string, unknown>[]).map(part) };
    case "hello":
      return { ...(raw as unknown as Hello), numbers: new Int32Array(aligned(raw["i"])) };
    case "alarms":
    case "predictions":
    case "charts":
    case "health":
    case "gap":
    case "beat":
      return raw as unknown as Frame;
    default:
      return null;
  }
}

function part(raw: Record<string, unknown>): Part {
  return {
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
