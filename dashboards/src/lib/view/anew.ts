import { get } from "../api/http.ts";

const KEY = "shopfloor.anew";
const PATIENCE_MS = 60_000;

/**
 * What to do when a part of the program does not come. Whoever is signed out is led to sign in; a server that was
 * updated has other parts, so the page is loaded anew, once. Otherwise the sentence that says why.
 */
export async function whyMissing(): Promise<string> {
  try {
    await get("me");
  } catch (error) {
    return (error as Error).message;
  }
  if (Date.now() - Number(sessionStorage.getItem(KEY) ?? 0) > PATIENCE_MS) {
    sessionStorage.setItem(KEY, String(Date.now()));
    location.reload();
  }
  return "The server lacks a part of this page: load the page anew (F5), and look whether the server is being updated.";
}
