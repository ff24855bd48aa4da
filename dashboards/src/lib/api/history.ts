import { decode } from "@msgpack/msgpack";
import { address, answered, reached } from "./http.ts";
import type { History } from "./types.ts";

const COLUMNS = "application/msgpack";
const FORMS = `${COLUMNS}, application/json;q=0.5`;

interface Question {
  tag: string;
  start: number;
  end: number;
  points?: number;
  previous?: boolean;
}

/** The history of a tag; numbers come as they lie in the server's memory, texts as JSON. Nothing comes once the signal has ended. */
export async function history(question: Question, signal?: AbortSignal): Promise<History> {
  const asked = reached(address("history", { ...question }), { headers: { Accept: FORMS } }, signal);
  const answer = await answered(asked);
  const found = answer.headers.get("Content-Type") === COLUMNS ? columns(await answer.arrayBuffer()) : ((await answer.json()) as History);
  signal?.throwIfAborted();
  return found;
}

/** Read raw columns: float64 and uint32, little-endian. */
export function columns(bytes: ArrayBuffer): History {
  const raw = decode(bytes) as Record<string, Uint8Array> & { tag: string; unit: string; downsampled: boolean };
  const numbers = (name: string): Float64Array => new Float64Array(raw[name]!.slice().buffer);
  return {
    tag: raw.tag,
    unit: raw.unit,
    kind: "float",
    downsampled: raw.downsampled,
    time: numbers("time"),
    value: numbers("value"),
    ...(raw["low"] && { low: numbers("low"), high: numbers("high") }),
    quality: new Uint32Array(raw["quality"]!.slice().buffer),
  };
}
