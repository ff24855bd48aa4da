export const ROLES = ["viewer", "operator", "engineer", "data-scientist", "admin"] as const;
export type Role = (typeof ROLES)[number];

/** What may be asked of the server: the rights of services/security/rights.py that pages use. */
export type Right =
  | "acknowledge"
  | "shelve"
  | "downtime"
  | "orders"
  | "work-orders"
  | "report"
  | "out-of-service"
  | "limits"
  | "setpoint"
  | "browse"
  | "sources"
  | "certificates"
  | "deploy"
  | "shadow"
  | "replay"
  | "propose"
  | "label"
  | "promote"
  | "accounts"
  | "sessions"
  | "tokens"
  | "audit";

export interface Account {
  name: string;
  role: Role;
  created: number;
  disabled: boolean;
  seen: number | null;
  way: "account" | "oidc";
}

export interface Session {
  id: string;
  owner: string;
  way: "account" | "oidc" | "token";
  began: number;
  used: number;
  until: number;
  address: string;
  agent: string;
  here: boolean;
}

export interface Token {
  name: string;
  created: number;
  scope: string;
  role: Role | "writer";
}

export interface AuditEntry {
  number: number;
  time: number;
  who: string;
  role: string;
  way: string;
  right: string;
  path: string;
  status: number;
  address: string;
  asked: unknown;
  before: unknown;
  after: unknown;
}
