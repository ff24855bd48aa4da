const PATIENCE_MS = 800;

/** Letters that are typed one after the other go to the next name that begins with them. */
export class Typeahead {
  private typed = "";
  private at = 0;

  /** The index of the name to go to, or -1. */
  find(letter: string, names: readonly { name: string }[], current: number, now: number): number {
    this.typed = now - this.at < PATIENCE_MS ? this.typed + letter : letter;
    this.at = now;
    const from = this.typed.length === 1 ? current + 1 : current;
    for (let i = 0; i < names.length; i += 1) {
      const index = (from + i) % names.length;
      if (names[index]!.name.toLowerCase().startsWith(this.typed)) return index;
    }
    return -1;
  }
}
