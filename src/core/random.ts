/**
 * Seeded random numbers: xoshiro128** (Blackman & Vigna 2018), seeded by splitmix32.
 * Randomness is always passed in as a `Random`, never taken from a global.
 */

export interface Random {
  /** Uniform in [0, 1) with 32 random bits. */
  uniform(): number;
  /** Uniform integer in [0, n). `n` from 1 to 2^32. */
  integer(n: number): number;
  /** Standard normal (Marsaglia's polar method). */
  normal(): number;
  /** Shuffles in place (Fisher–Yates) and returns its argument. */
  shuffle<T extends { length: number; [index: number]: unknown }>(values: T): T;
}

/** A generator that repeats exactly for the same seed. `seed` is any integer; its low 32 bits count. */
export function createRandom(seed: number): Random {
  let mix = seed >>> 0;
  const splitmix = () => {
    mix = (mix + 0x9e3779b9) >>> 0;
    let z = mix;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
  let a = splitmix();
  let b = splitmix();
  let c = splitmix();
  let d = splitmix();
  const next = () => {
    const product = Math.imul(b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = (d << 11) | (d >>> 21);
    return result;
  };
  const random: Random = {
    uniform: () => next() / 4294967296,
    integer: (n) => Math.floor((next() / 4294967296) * n),
    normal: () => {
      for (;;) {
        const x = 2 * random.uniform() - 1;
        const y = 2 * random.uniform() - 1;
        const s = x * x + y * y;
        if (s > 0 && s < 1) return x * Math.sqrt((-2 * Math.log(s)) / s);
      }
    },
    shuffle: (values) => {
      const array = values as unknown as { [index: number]: unknown };
      for (let i = values.length - 1; i > 0; i--) {
        const j = random.integer(i + 1);
        const swap = array[i];
        array[i] = array[j];
        array[j] = swap;
      }
      return values;
    },
  };
  return random;
}

/** The seed of step `step` (a sweep, an epoch) of a fit: a resumed fit draws what an unbroken one would have drawn. */
export function stepSeed(seed: number, step: number): number {
  return Math.imul((seed >>> 0) ^ Math.imul(step + 1, 0x9e3779b1), 0x85ebca6b) >>> 0;
}
