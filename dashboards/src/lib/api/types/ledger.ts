export interface LedgerRow {
  gateway: string;
  source: string;
  accepted: number;
  spooled: number;
  stored: number;
  rejected: number;
  dropped: number;
  duplicates: number;
  balanced: boolean;
  sentence: string;
}

export interface Ledger {
  balanced: boolean;
  sources: LedgerRow[];
  store: { rows: number };
}
