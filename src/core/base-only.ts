/** The explanation of a score in which the asker's history has no share: popularity, or an item that the history says nothing of. */
import type { Explanation } from "./model.js";

export function baseOnly(score: number): Explanation {
  return { score, base: score, itemIndex: new Int32Array(0), contribution: new Float32Array(0) };
}
