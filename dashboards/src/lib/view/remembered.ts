/** A browser that keeps nothing (private window, policy) still shows the pages. */
export function remembered(key: string): string | null {
  try {
    return localStorage.getItem(`shopfloor.${key}`);
  } catch (error) {
    if (error instanceof DOMException) return null;
    throw error;
  }
}

export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(`shopfloor.${key}`, value);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
  }
}
