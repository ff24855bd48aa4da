import { asked } from "./first.ts";

const ROOT = "/api/v1/";
/** A server that is silent for so long is not waited for: the page says so, and asks again. */
const PATIENCE_MS = 30_000;

/** The server answered no; `message` is its own sentence where it gave one. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    sentence: string,
  ) {
    super(sentence);
    this.name = "Refused";
  }
}

type Query = Record<string, string | number | boolean | readonly string[] | undefined>;

/** Write a query; a list repeats its key, and an absent value is left out. */
export function query(parts: Query): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(parts)) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) search.append(key, String(one));
  }
  const text = search.toString();
  return text ? `?${text}` : "";
}

export function address(path: string, parts: Query = {}): string {
  return ROOT + path + query(parts);
}

/** Ask; once the signal has ended, an answer that is on its way is thrown away too. */
export async function get<T>(path: string, parts: Query = {}, signal?: AbortSignal): Promise<T> {
  const where = address(path, parts);
  const found = await read<T>(asked(where)?.catch(() => reached(where, {}, signal)) ?? reached(where, {}, signal));
  signal?.throwIfAborted();
  return found;
}

/** Tell the server to do something: it is done though the signal ends, only its answer is thrown away. */
export async function post<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  const done = await read<T>(reached(ROOT + path, { method: "POST", headers: headers(), body: JSON.stringify(body) }));
  signal?.throwIfAborted();
  return done;
}

/** Ask, with a limit; a browser's own words for a lost network ("Failed to fetch") help nobody. */
export async function reached(href: string, request: RequestInit, signal?: AbortSignal): Promise<Response> {
  const limit = AbortSignal.timeout(PATIENCE_MS);
  try {
    return await fetch(href, { ...request, signal: signal ? AbortSignal.any([signal, limit]) : limit });
  } catch (error) {
    if (signal?.aborted) throw error;
    if (limit.aborted) throw new Refused(0, `The server has not answered for ${PATIENCE_MS / 1000} s: look whether it is overloaded.`);
    throw new Refused(0, "The server cannot be reached: look at the network and whether the server runs.");
  }
}

/** Headers of a request that changes something; of a session they prove that the page is ours. */
export function headers(): Record<string, string> {
  const shown = /(?:^|; )shopfloor_csrf=([^;]+)/.exec(document.cookie)?.[1];
  return { "Content-Type": "application/json", ...(shown ? { "X-CSRF-Token": shown } : {}) };
}

let signingOut = false;

/** Sign out, and follow whoever signed in at an identity provider there; what else the page asks meanwhile is refused. */
export async function signOut(): Promise<void> {
  signingOut = true;
  try {
    const further = await post<{ url: string } | undefined>("logout", {});
    location.assign(further?.url ?? comeBack());
  } catch (error) {
    signingOut = false;
    if (error instanceof Refused && error.status === 401) signIn();
    else throw error;
  }
}

/** Whoever is signed in no more signs in again, and comes back to where they were. */
export function signIn(): void {
  if (!signingOut) location.assign(comeBack());
}

function comeBack(): string {
  return `/login?next=${encodeURIComponent(location.pathname + location.search)}`;
}

async function read<T>(asked: Promise<Response>): Promise<T> {
  const answer = await answered(asked);
  return answer.status === 204 ? (undefined as T) : ((await answer.json()) as T);
}

/** What the server said yes to; everything else is thrown. */
export async function answered(asked: Promise<Response>): Promise<Response> {
  const answer = await asked;
  if (answer.ok) return answer;
  if (answer.status === 401) signIn();
  throw new Refused(answer.status, await sentence(answer));
}

async function sentence(answer: Response): Promise<string> {
  const text = await answer.text();
  try {
    const { detail } = JSON.parse(text) as { detail?: unknown };
    if (typeof detail === "string") return detail;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return `The server answered ${answer.status} without a reason: its log says more.`;
}
