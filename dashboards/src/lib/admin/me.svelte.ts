import { get, post } from "../api/http.ts";
import type { Right } from "./types.ts";

export interface Me {
  name: string;
  role: string;
  way: string;
  rights: string[];
}

const ACTIVE_MS = 60_000;

/** Who is signed in, and what they may do; on a plant of one machine without accounts: everything. */
class Person {
  me = $state.raw<Me | null>(null);
  private busy = false;

  async load(): Promise<void> {
    try {
      this.me = await get<Me>("me");
    } catch {
      this.me = null; // asked again with the next page; each request is refused by the server itself
    }
  }

  /** Tell the server now and then that somebody is at the page: a session of an engineer ends without. */
  watch(): void {
    for (const kind of ["pointerdown", "keydown", "wheel"]) addEventListener(kind, () => (this.busy = true), { passive: true });
    setInterval(() => {
      if (this.busy && this.signedIn) void post("me/here", {}).catch(() => undefined);
      this.busy = false;
    }, ACTIVE_MS);
  }

  get signedIn(): boolean {
    return this.me !== null && this.me.way !== "local";
  }

  may(right: Right): boolean {
    return this.me?.rights.includes(right) ?? false;
  }
}

export const person = new Person();
