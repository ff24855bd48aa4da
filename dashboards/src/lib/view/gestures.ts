import type uPlot from "uplot";

/** What a person does to a chart with a pointer. Times are in ms. */
export interface Gestures {
  group: string;
  /** Show this span. */
  zoom: (from: number, to: number) => void;
  /** The pointer is over a time, or has left. */
  cursor: (time: number | null) => void;
  /** Look at a time: a click. */
  pick?: ((time: number) => void) | undefined;
  /** Show `factor` times as much around a time: the wheel. */
  wheel?: ((factor: number, time: number) => void) | undefined;
  /** Move by a share of the window: Shift and drag, Shift and the wheel, the wheel sideways. */
  pan?: ((share: number) => void) | undefined;
}

const CLICK_PX = 4;
const PER_NOTCH = 1.25;
const NOTCH_PX = 100;

const timeAt = (u: uPlot, x: number): number => u.posToVal(x, "x") * 1000;

export const gestures = {
  cursor(options: Gestures): uPlot.Cursor {
    const unlessPanned = (_u: uPlot, _t: HTMLElement, handler: uPlot.Cursor.MouseListener) => (event: MouseEvent) => {
      if (event.shiftKey || event.button) return null;
      return handler(event);
    };
    return { sync: { key: options.group, setSeries: false }, drag: { x: true, y: false, setScale: false }, points: { size: 7 }, y: false, bind: { mousedown: unlessPanned } };
  },

  hooks(options: Gestures): uPlot.Hooks.Arrays {
    return {
      ready: [(u) => listen(u, options)],
      setSelect: [(u) => selected(u, options.zoom)],
      setCursor: [(u) => options.cursor((u.cursor.left ?? -1) < 0 ? null : timeAt(u, u.cursor.left!))],
    };
  },
};

function selected(u: uPlot, zoom: Gestures["zoom"]): void {
  const { left, width } = u.select;
  if (width < CLICK_PX) return;
  const [from, to] = [timeAt(u, left), timeAt(u, left + width)];
  u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  zoom(from, to);
}

function listen(u: uPlot, { pick, wheel, pan, zoom }: Gestures): void {
  let [down, last, panning] = [0, 0, false];
  u.over.addEventListener("pointerdown", (event) => {
    down = last = event.isPrimary ? event.clientX : NaN;
    panning = pan !== undefined && event.shiftKey;
    if (panning) u.over.setPointerCapture(event.pointerId);
  });
  u.over.addEventListener("pointermove", (event) => {
    if (!panning || !event.buttons) return;
    pan?.((last - event.clientX) / u.over.clientWidth);
    last = event.clientX;
  });
  u.over.addEventListener("pointerup", (event) => {
    if (!panning && Math.abs(event.clientX - down) < CLICK_PX) pick?.(timeAt(u, event.clientX - u.over.getBoundingClientRect().left));
    panning = false;
  });
  if (wheel) u.over.addEventListener("wheel", (event) => turned(u, event, wheel, pan), { passive: false });
  touched(u, zoom);
}

interface Finger {
  began: number;
  x: number;
  /** What it lies on. */
  time: number;
}

/** One finger moves the window, two show more or less of it: what they lie on stays under them. Up and down the page scrolls. */
function touched(u: uPlot, zoom: Gestures["zoom"]): void {
  const fingers = new Map<number, Finger>();
  let span = 0;
  const place = (event: PointerEvent): number => event.clientX - u.over.getBoundingClientRect().left;
  const grip = (): void => {
    span = timeAt(u, u.over.clientWidth) - timeAt(u, 0);
    for (const finger of fingers.values()) Object.assign(finger, { began: finger.x, time: timeAt(u, finger.x) });
  };
  u.over.style.touchAction = "pan-y";
  u.over.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "touch" || fingers.size === 2) return;
    fingers.set(event.pointerId, { began: 0, x: place(event), time: 0 });
    grip();
  });
  u.over.addEventListener("pointermove", (event) => {
    const finger = fingers.get(event.pointerId);
    if (!finger) return;
    finger.x = place(event);
    const window = under([...fingers.values()], span, u.over.clientWidth);
    if (window) zoom(...window);
  });
  for (const end of ["pointerup", "pointercancel"] as const) {
    u.over.addEventListener(end, (event) => fingers.delete(event.pointerId) && grip());
  }
}

/** The window (ms) in which each finger lies on its time; null where nothing was moved yet, or two fingers cross. */
function under([one, two]: readonly Finger[], span: number, width: number): [number, number] | null {
  if (!one || (!two && Math.abs(one.x - one.began) < CLICK_PX)) return null;
  const shown = two ? ((two.time - one.time) * width) / (two.x - one.x) : span;
  const from = one.time - (one.x / width) * shown;
  return Number.isFinite(shown) && shown > 0 ? [from, from + shown] : null;
}

/** The wheel zooms where the page has nothing to scroll; with Ctrl always. */
function turned(u: uPlot, event: WheelEvent, wheel: NonNullable<Gestures["wheel"]>, pan: Gestures["pan"]): void {
  const scrolls = document.documentElement.scrollHeight > innerHeight + 1;
  const sideways = event.deltaX || (event.shiftKey ? event.deltaY : 0);
  if (scrolls && !event.ctrlKey && !sideways) return;
  event.preventDefault();
  if (sideways) pan?.((sideways / NOTCH_PX) * 0.1);
  else wheel(PER_NOTCH ** (event.deltaY / NOTCH_PX), timeAt(u, event.clientX - u.over.getBoundingClientRect().left));
}
