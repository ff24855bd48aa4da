import { onDestroy } from "svelte";

/** A signal that ends with the component that is being made. In an effect `getAbortSignal` of Svelte ends with its run. */
export function leaving(): AbortSignal {
  const end = new AbortController();
  onDestroy(() => end.abort());
  return end.signal;
}

/** Ask for as long as a signal lasts; a failure is told, but not to somebody who has left. */
export async function asking(signal: AbortSignal, question: (signal: AbortSignal) => Promise<void>, failed: (why: string) => void): Promise<void> {
  try {
    await question(signal);
  } catch (error) {
    if (!signal.aborted) failed((error as Error).message);
  }
}
