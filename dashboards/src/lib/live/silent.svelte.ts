import type { Tag } from "../api/types.ts";
import { clock } from "./clock.svelte.ts";
import { live } from "./live.svelte.ts";

/** How long (ms) nothing was heard of a tag for too long: the server is silent, or the tag is; null while it is heard. Of one that may speak `seldom` only a break of a steady pace counts. */
export function silentFor(tag: Tag | undefined, seldom = false): number | null {
  const sample = tag && live.slow(tag.path);
  const age = sample ? clock.second - sample.time : clock.second - live.frameTime;
  const late = sample && (seldom ? sample.pace.overdue(age) : age > sample.pace.patience);
  return live.stale || late ? age : null;
}
