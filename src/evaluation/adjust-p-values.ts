/**
 * Correction for many comparisons: Holm (1979) bounds the chance of any false finding, Benjamini & Hochberg (1995) the share of false
 * ones among the findings. An adjusted p value is compared with the wanted level itself.
 */
import { ConfigError } from "../core/errors.js";
import { nameHint } from "../core/nearest-names.js";

export type PValueMethod = "holm" | "benjamini-hochberg";

/** Adjusted values in the order given. Throws ConfigError on a value outside [0, 1] and an unknown method. */
export function adjustPValues(p: readonly number[], method: PValueMethod): number[] {
  for (const [i, value] of p.entries()) {
    if (!(value >= 0 && value <= 1))
      throw new ConfigError(`The p value at position ${i} is ${value}.`, { hint: "p values lie from 0 to 1." });
  }
  const ascending = p.map((_, i) => i).sort((a, b) => p[a] - p[b]);
  const adjusted = new Array<number>(p.length);
  const n = p.length;
  switch (method) {
    case "holm": {
      let largest = 0; // adjusted_(j) = max_{i ≤ j} (n − i + 1) p_(i)
      for (const [rank, i] of ascending.entries()) {
        largest = Math.max(largest, Math.min(1, (n - rank) * p[i]));
        adjusted[i] = largest;
      }
      return adjusted;
    }
    case "benjamini-hochberg": {
      let smallest = 1; // adjusted_(j) = min_{i ≥ j} n p_(i) / i
      for (const [fromEnd, i] of ascending.reverse().entries()) {
        smallest = Math.min(smallest, (n * p[i]) / (n - fromEnd));
        adjusted[i] = smallest;
      }
      return adjusted;
    }
    default:
      throw new ConfigError(`There is no correction ${JSON.stringify(method)}.`, {
        hint: nameHint(String(method), ["holm", "benjamini-hochberg"]),
        details: { got: method },
      });
  }
}
