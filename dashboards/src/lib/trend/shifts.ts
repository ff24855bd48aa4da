/** A shift of the plant's calendar, in ms. */
export interface Shift {
  name: string;
  start: number;
  end: number;
}

const DAY = 86_400_000;

/** How long ago the shift before the one at `time` began, against that one; null without a calendar. */
export function lastShift(shifts: readonly Shift[], time: number): number | null {
  const at = shifts.findIndex((one) => one.start <= time && time < one.end);
  return at > 0 ? shifts[at]!.start - shifts[at - 1]!.start : null;
}

/** How long ago the same shift began on the day before; a day where the calendar does not know. */
export function sameShiftYesterday(shifts: readonly Shift[], time: number): number {
  const now = shifts.find((one) => one.start <= time && time < one.end);
  const before = now && shifts.findLast((one) => one.name === now.name && one.start < now.start);
  return now && before ? now.start - before.start : DAY;
}
