/**
 * Binding of assembly/adam.ts: parameters stay in their own arrays (a session reads them there) and pass through a small kernel memory,
 * a piece at a time that fits the second-level cache. Runs on the calling thread. Called by src/nn/train.ts through optimizers.ts.
 */
import { type ArenaOptions, createArena } from "./arena.js";
import type { AdamRange, AdamState, AdamStep } from "./reference/adam.js";

/** As `referenceAdam`, bit for bit. */
export type AdamKernel = (state: AdamState, gradient: Float32Array, range: AdamRange, step: AdamStep) => void;

/** Values that are copied at once: four arrays of 32 KiB. */
const PIECE = 8192;

/** Throws KernelError when the kernels cannot be loaded. */
export async function createAdamKernel({ build }: Pick<ArenaOptions, "build"> = {}): Promise<AdamKernel> {
  const bytes = 4 * PIECE;
  const blocks = { values: bytes, first: bytes, second: bytes, gradient: bytes };
  const arena = await createArena({ purpose: "Adam", hint: "", blocks, scratchBytes: 0 }, { threads: 1, shared: false, build });
  const [values, first, second, slopes] = (["values", "first", "second", "gradient"] as const).map((name) => arena.float32(name, PIECE));
  const { pointers } = arena;
  const addresses = [pointers.values, pointers.first, pointers.second, pointers.gradient];
  return (state, gradient, { at, from, count }, { scale, kept, size, epsilon }) => {
    const args = [...addresses, scale, kept, size, epsilon];
    for (let begin = 0; begin < count; begin += PIECE) {
      const length = Math.min(PIECE, count - begin);
      const [low, high] = [at + begin, at + begin + length];
      values.set(state.values.subarray(low, high));
      first.set(state.first.subarray(low, high));
      second.set(state.second.subarray(low, high));
      slopes.set(gradient.subarray(from + begin, from + begin + length));
      arena.runHere("adam", { count: (length + 3) & ~3, args }); // what lies behind the last value is not copied back
      state.values.set(length === PIECE ? values : values.subarray(0, length), low);
      state.first.set(length === PIECE ? first : first.subarray(0, length), low);
      state.second.set(length === PIECE ? second : second.subarray(0, length), low);
    }
  };
}
