import type { Tag } from "../api/types.ts";
import { clock } from "./clock.svelte.ts";
import { live } from "./live.svelte.ts";
import { origins } from "./origins.ts";

/** How long (ms) nothing was heard of a tag for too long: the server is silent, its source is lost, or the tag is silent with it; null while it is heard. Of one that may speak `seldom` only a break of a steady pace counts. */
export function silentFor(tag: Tag | undefined, seldom = false): number | null {
  const sample = tag && live.slow(tag.path);
  const age = sample ? clock.second - sample.time : clock.second - live.frameTime;
  return live.stale || (sample && origins.isOverdue(tag.path, sample, clock.second, seldom)) ? age : null;
}
