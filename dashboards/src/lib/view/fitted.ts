/**
 * Nobody scrolls a wall: of the rows in a box those are shown that fit whole. Tells how many are left out, again
 * whenever the box or its rows change; 0 takes the limit away.
 */
export function fitted(box: HTMLElement, rows: string, left: (n: number) => void): () => void {
  let waiting = 0;
  const soon = (): void => {
    waiting ||= requestAnimationFrame(() => {
      waiting = 0;
      left(fit(box, rows));
    });
  };
  const sizes = new ResizeObserver(soon);
  const changes = new MutationObserver(soon);
  sizes.observe(box);
  changes.observe(box, { childList: true, subtree: true });
  soon();
  return () => {
    cancelAnimationFrame(waiting);
    sizes.disconnect();
    changes.disconnect();
    for (const row of box.querySelectorAll<HTMLElement>(rows)) row.style.removeProperty("display");
  };
}

function fit(box: HTMLElement, rows: string): number {
  const all = [...box.querySelectorAll<HTMLElement>(rows)];
  for (const row of all) row.style.removeProperty("display");
  const floor = box.getBoundingClientRect().bottom + 1;
  const over = all.filter((row) => row.getBoundingClientRect().bottom > floor);
  for (const row of over) row.style.display = "none";
  return over.length;
}
