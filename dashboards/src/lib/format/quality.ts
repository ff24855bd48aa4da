/** The severity in the two top bits of an OPC UA StatusCode. */
export type Severity = "good" | "uncertain" | "bad";

const NAMES: Record<number, string> = {
  0x00000000: "Good",
  0x40000000: "Uncertain",
  0x40900000: "UncertainLastUsableValue",
  0x40930000: "UncertainSensorNotAccurate",
  0x40940000: "UncertainEngineeringUnitsExceeded",
  0x80000000: "Bad",
  0x80070000: "BadDecodingError",
  0x80310000: "BadNoCommunication",
  0x80320000: "BadWaitingForInitialData",
  0x808a0000: "BadNotConnected",
  0x808b0000: "BadDeviceFailure",
  0x808c0000: "BadSensorFailure",
  0x808d0000: "BadOutOfService",
  0x80740000: "BadTypeMismatch",
};

export function severity(status: number): Severity {
  const top = status >>> 30;
  return top === 0 ? "good" : top === 1 ? "uncertain" : "bad";
}

export function isBad(status: number): boolean {
  return status >>> 31 === 1;
}

export function statusName(status: number): string {
  return NAMES[status] ?? `${severity(status)} (0x${status.toString(16).toUpperCase().padStart(8, "0")})`;
}

/** How far a value can be trusted, as every element says that shows one (`data-quality`). */
export function qualityOf(status: number | null | undefined, stale = false): Severity | "stale" | "none" {
  if (status === null || status === undefined) return "none";
  return stale ? "stale" : severity(status);
}
