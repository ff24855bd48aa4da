/** Texts of the page of a line. */
export const line = {
  "line.count": "{n} {n:asset|assets}",
  "line.machines": "Machines of the line",
  "line.normal": "{n} of {all} without alarm",
  "line.rail": "What to do now",
  "line.unknown": "There is no line {line}",
  "line.unknown.next": "Find the lines on the overview.",
  "rail.alarms": "Alarms",
  "rail.more": "All {n} alarms",
  "rail.none": "Nothing to do: no prediction asks for attention.",
  "rail.now": "Recommended now",
} as const;
