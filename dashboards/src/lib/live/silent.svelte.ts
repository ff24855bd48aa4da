import type { Tag } from "../api/types.ts";
import { clock } from "./clock.svelte.ts";
import { live } from "./live.svelte.ts";
import { origins } from "./origins.ts";

/** How long (ms) the value of a tag is no longer known: the server is silent, its source is lost, or the tag is silent with it; null while it is known. Of one that may speak `seldom` only a break of a steady pace counts. */
export function silentFor(tag: Tag | undefined, seldom = false): number | null {
  const now = clock.second;
  const sample = tag && live.slow(tag.path);
  if (live.stale) return now - (sample?.time ?? live.frameTime);
  const known = sample ? origins.knownUntil(tag.path, sample, now, seldom) : now;
  return known < now ? now - known : null;
}
