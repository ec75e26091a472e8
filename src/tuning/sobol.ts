/**
 * Sobol points: x_n = ⊕_k g_k v_k with g the Gray code of n (Antonov & Saleev 1979) and v_k = m_k / 2^k from the
 * recurrence of each dimension's primitive polynomial (Bratley & Fox 1988; Joe & Kuo 2008).
 * Scrambled by a digital shift: every coordinate is XORed with 32 random bits of the seed. Called by samplers.ts.
 */
import { ConfigError } from "../core/errors.js";
import { createRandom } from "../core/random.js";
import { directionNumbers } from "./sobol-numbers.js";

const BITS = 32;

export const maxSobolDimensions = directionNumbers.length + 1;

/** Point `index` (0, 1, 2 …) of the sequence in [0, 1)^dimensions; without `seed` unscrambled. O(dimensions · 32). */
export function sobolPoint(index: number, dimensions: number, seed?: number): number[] {
  if (dimensions > maxSobolDimensions)
    throw new ConfigError(`Sobol points are known for ${maxSobolDimensions} dimensions, but ${dimensions} are searched.`, {
      hint: "Fix some parameters, or use the random sampler.",
    });
  const gray = (index ^ (index >>> 1)) >>> 0;
  const shift = seed === undefined ? undefined : createRandom(seed);
  return Array.from({ length: dimensions }, (_, d) => {
    const directions = directionsOf(d);
    let x = shift ? shift.integer(2 ** BITS) : 0;
    for (let k = 0; k < BITS; k++) if ((gray >>> k) & 1) x ^= directions[k];
    return (x >>> 0) / 2 ** BITS;
  });
}

const known: Uint32Array[] = [];

/** v_1 … v_32 as 32-bit integers, v_k shifted to the left by 32 − k. */
function directionsOf(dimension: number): Uint32Array {
  known[dimension] ??= computeDirections(dimension);
  return known[dimension];
}

function computeDirections(dimension: number): Uint32Array {
  const v = new Uint32Array(BITS);
  if (dimension === 0) return v.map((_, k) => (1 << (BITS - 1 - k)) >>> 0); // van der Corput
  const [s, a, m] = directionNumbers[dimension - 1];
  for (let k = 0; k < BITS; k++) {
    if (k < s) {
      v[k] = m[k] << (BITS - 1 - k);
      continue;
    }
    // v_k = a_1 v_{k−1} ⊕ … ⊕ a_{s−1} v_{k−s+1} ⊕ v_{k−s} ⊕ v_{k−s} / 2^s
    v[k] = v[k - s] ^ (v[k - s] >>> s);
    for (let j = 1; j < s; j++) if ((a >>> (s - 1 - j)) & 1) v[k] ^= v[k - j];
  }
  return v;
}
