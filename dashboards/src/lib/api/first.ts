/** What every page asks first. The script in index.html asks it before the pages have arrived, and leaves the answers in `window.asked`. */
export const FIRST = ["me", "assets", "alarms?state=open", "predictions", "health"].map((path) => `/api/v1/${path}`);

declare global {
  interface Window {
    asked?: Record<string, Promise<Response>>;
  }
}

/** The answer that is on its way since the page was opened; once, then it is old. */
export function asked(address: string): Promise<Response> | undefined {
  const answer = globalThis.window?.asked?.[address];
  if (answer) delete window.asked![address];
  return answer;
}
