import { Refused, headers } from "../api/http.ts";

type Part = Record<string, unknown>;

/** Ask a gateway. Each part of its answer is handed over as it comes; its refusal is thrown as one sentence. */
export async function call<T extends object>(gateway: string, kind: string, body: object, heard: (part: T) => void, signal?: AbortSignal): Promise<void> {
  const answer = await fetch(`/api/v1/gateways/${encodeURIComponent(gateway)}/calls/${kind}`, {
    method: "POST",
    headers: headers(),
    body: JSON.stringify(body),
    ...(signal ? { signal } : {}),
  });
  if (!answer.ok || !answer.body) throw new Refused(answer.status, detail(await answer.text()) ?? `${answer.status} ${answer.statusText}`.trim());
  for await (const line of lines(answer.body)) {
    const part = JSON.parse(line) as Part;
    if (typeof part["error"] === "string") throw new Refused(200, part["error"]);
    if (!part["done"]) heard(part as T);
  }
}

/** The last part of an answer that has only one. */
export async function ask<T extends object>(gateway: string, kind: string, body: object, signal?: AbortSignal): Promise<T> {
  let found: T | undefined;
  await call<T>(gateway, kind, body, (part) => (found = part), signal);
  if (!found) throw new Refused(200, `${kind}: –`);
  return found;
}

async function* lines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      rest += decoder.decode(value, { stream: !done });
      const whole = rest.split("\n");
      rest = done ? "" : (whole.pop() ?? "");
      for (const line of whole) if (line.trim()) yield line;
      if (done) return;
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

function detail(text: string): string | undefined {
  try {
    const { detail: said } = JSON.parse(text) as { detail?: unknown };
    return typeof said === "string" ? said : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export const isAbort = (error: unknown): boolean => error instanceof DOMException && error.name === "AbortError";
