/**
 * One property of the items (title, price …) while rows stream by: the last non-empty text of each item. A 64-bit key beside the
 * text tells whether it is still the same, so that a text is made only when an item's value changes.
 */
import type { DuckDBVector } from "@duckdb/node-api";

/** Written as people and programs write numbers, without leading zeros that a code would have. */
const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?(e[-+]?\d+)?$/i;

export class PropertyCollector {
  #texts: (string | null)[] = [];
  #keys = new Int32Array(1 << 12);

  /** `itemOf`: item index of each row, −1 for rows to leave out. */
  add(values: DuckDBVector, keys: DuckDBVector, itemOf: Int32Array): void {
    const { items } = keys as unknown as { items?: BigUint64Array };
    const words = items instanceof BigUint64Array ? new Int32Array(items.buffer, items.byteOffset, items.length * 2) : undefined;
    for (let row = 0; row < values.itemCount; row++) {
      const item = itemOf[row];
      if (item < 0) continue;
      if (words && item < this.#texts.length && this.#keys[item * 2] === words[row * 2] && this.#keys[item * 2 + 1] === words[row * 2 + 1])
        continue;
      const text = values.getItem(row) as string;
      while (this.#texts.length <= item) this.#texts.push(null);
      if (text === "") continue;
      this.#texts[item] = text;
      if (!words) continue;
      if (this.#keys.length < (item + 1) * 2) {
        const larger = new Int32Array(Math.max(this.#keys.length * 2, (item + 1) * 2));
        larger.set(this.#keys);
        this.#keys = larger;
      }
      this.#keys[item * 2] = words[row * 2];
      this.#keys[item * 2 + 1] = words[row * 2 + 1];
    }
  }

  /** By item index; numbers when every value is one. */
  values(numItems: number): (string | number | null)[] {
    return asNumbers(Array.from({ length: numItems }, (_, item) => this.#texts[item] ?? null));
  }
}

/** The same values as numbers when every text is one. */
export function asNumbers(texts: (string | null)[]): (string | number | null)[] {
  const numeric = texts.every((text) => text === null || NUMBER.test(text));
  return numeric ? texts.map((text) => (text === null ? null : Number(text))) : texts;
}
