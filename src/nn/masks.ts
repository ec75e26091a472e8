/**
 * Dropout masks: windows into one pool of values 0 and 1 / (1 − rate), at random offsets, so that a step draws one number per mask.
 */
import type { Random } from "../core/random.js";

export interface MaskPool {
  /** A window of `size` values, at most `largest`. */
  take(size: number, random: Random): Float32Array;
}

const LEAST = 2 ** 20;

/** `largest`: size of the largest mask that will be taken. */
export function createMaskPool(rate: number, largest: number, random: Random): MaskPool {
  const values = new Float32Array(Math.max(LEAST, 4 * largest)).map(() => (random.uniform() < rate ? 0 : 1 / (1 - rate)));
  return {
    take(size, drawn) {
      const offset = drawn.integer(values.length - size + 1);
      return values.subarray(offset, offset + size);
    },
  };
}
