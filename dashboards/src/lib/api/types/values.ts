export type Scalar = number | string | null;

export interface Latest {
  tag: string;
  time: number;
  value: Scalar;
  quality: number;
  severity: string | number;
}

export interface History {
  tag: string;
  unit: string;
  kind: string;
  downsampled: boolean;
  time: number[] | Float64Array;
  value: Scalar[] | Float64Array;
  low?: (number | null)[] | Float64Array;
  high?: (number | null)[] | Float64Array;
  quality: number[] | Uint32Array;
}
