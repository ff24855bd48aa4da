/** The server writes units and the minus sign in ASCII. */
export function written(text: string): string {
  return text.replace(/\bum\b/g, "µm").replace(/\buOhm\b/g, "µΩ").replace(/(?<![\w.])-(?=\d)/g, "−");
}
