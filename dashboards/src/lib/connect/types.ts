/** What the calls to a gateway answer. */
export type NodeKind = "object" | "variable" | "method";
export type Form = Readonly<Record<string, unknown>>;

export interface NodeRow {
  id: string;
  parent: string;
  name: string;
  path: string[];
  kind: NodeKind;
  type: string;
  children: boolean;
  writable: boolean;
  property: boolean;
  form?: Form;
  value?: string | number | null;
}

export interface Reading {
  id: string;
  value: string | number | null;
  quality: number;
  quality_name: string;
  time: number | null;
}

export interface Finding {
  step: string;
  state: "ok" | "note" | "failed" | "skipped";
  sentence: string;
  fix: string;
  cause: string;
}

export interface Certificate {
  thumbprint: string;
  subject: string;
  application_uri: string;
  not_before: number | string;
  not_after: number | string;
  state: "trusted" | "waiting" | "rejected" | "own";
  url: string;
  first_seen: number | string | null;
}

export interface Connection {
  name: string;
  kind: string;
  origin: string;
  text: string;
  editable: boolean;
}

export interface Checked {
  ok?: boolean;
  /** Sources, not tags. */
  adds?: number;
  changes?: number;
  removes?: number;
  keeps?: number;
  problems?: string[];
}

export interface Pick {
  id: string;
  path: string[];
  tag: string;
  form: Form;
}

export interface Entry {
  text: string;
  tags: Record<string, string>;
  problems: string[];
}

export interface Written {
  name: string;
  url: string;
  security: string;
  options: Record<string, unknown>;
  picks: Pick[];
}
