/** The colours and the font of a chart, from the style of the page. */
export interface Ink {
  text: string;
  grid: string;
  band: string;
  trace: string;
  edge: string;
  hatch: string;
  panel: string;
  priority: string[];
  font: string;
  /** How much larger than on a desk everything is: a wall of 4K is read from as far as one of 1920. */
  scale: number;
}

export function inks(host: HTMLElement): Ink {
  const style = getComputedStyle(host);
  const scale = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
  const read = (name: string): string => style.getPropertyValue(name).trim();
  return {
    text: read("--muted"),
    grid: read("--well"),
    band: read("--band"),
    trace: read("--trace"),
    edge: read("--edge"),
    hatch: read("--edge"),
    panel: read("--panel"),
    priority: ["--p1", "--p1", "--p2", "--p3"].map(read),
    scale,
    font: `${Math.round(parseFloat(style.fontSize) * 0.8)}px ${style.fontFamily}`,
  };
}
