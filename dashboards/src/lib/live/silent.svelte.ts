import type { Tag } from "../api/types.ts";
import { clock } from "./clock.svelte.ts";
import { live } from "./live.svelte.ts";

/** How long (ms) nothing was heard of a tag for too long: the server is silent, or the tag is; null while it is heard. */
export function silentFor(tag: Tag | undefined): number | null {
  const sample = tag && live.slow(tag.path);
  const age = sample ? clock.second - sample.time : clock.second - live.frameTime;
  return live.stale || (sample && age > sample.pace.patience) ? age : null;
}
