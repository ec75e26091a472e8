/**
 * Binding of assembly/adam.ts and sum-of-squares.ts: parameters and gradients stay in their own arrays (a session reads and writes them
 * there) and pass through a small kernel memory, a piece at a time that fits the second-level cache. Runs on the calling thread.
 * Called by src/nn/train.ts through optimizers.ts.
 */
import { type ArenaOptions, createArena } from "./arena.js";
import { type AdamRange, type AdamState, type AdamStep, referenceAdam } from "./reference/adam.js";
import { referenceSumOfSquares } from "./reference/sum-of-squares.js";

export interface OptimizerKernels {
  /** As `referenceAdam`, bit for bit. */
  adam(state: AdamState, gradient: Float32Array, range: AdamRange, step: AdamStep): void;
  /** As `referenceSumOfSquares`, bit for bit. */
  sumOfSquares(values: Float32Array, count: number): number;
}

/** The plain twins. */
export const plainKernels: OptimizerKernels = { adam: referenceAdam, sumOfSquares: referenceSumOfSquares };

/** Values that are copied at once: four arrays of 32 KiB. */
const PIECE = 8192;
/** From so many values on the copies to and from the kernel pay. */
const LEAST = 512;

/** Throws KernelError when the kernels cannot be loaded. */
export async function createOptimizerKernels({ build }: Pick<ArenaOptions, "build"> = {}): Promise<OptimizerKernels> {
  const bytes = 4 * PIECE;
  const blocks = { values: bytes, first: bytes, second: bytes, gradient: bytes, sums: 32 };
  const arena = await createArena({ purpose: "An optimizer", hint: "", blocks, scratchBytes: 0 }, { threads: 1, shared: false, build });
  const [values, first, second, slopes] = (["values", "first", "second", "gradient"] as const).map((name) => arena.float32(name, PIECE));
  const { pointers } = arena;
  const sums = arena.float64("sums", 4);
  const addresses = [pointers.values, pointers.first, pointers.second, pointers.gradient];
  return {
    adam(state, gradient, range, step) {
      const { at, from, count } = range;
      if (count < LEAST) {
        referenceAdam(state, gradient, range, step);
        return;
      }
      const args = [...addresses, step.scale, step.kept, step.size, step.epsilon];
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
    },
    sumOfSquares(given, count) {
      if (count < LEAST) return referenceSumOfSquares(given, count);
      sums.fill(0);
      const whole = count & ~3;
      for (let begin = 0; begin < whole; begin += PIECE) {
        const length = Math.min(PIECE, whole - begin);
        values.set(given.subarray(begin, begin + length));
        arena.runHere("sumOfSquares", { count: length, args: [pointers.values, pointers.sums] });
      }
      for (let k = whole; k < count; k++) sums[0] += given[k] * given[k];
      return sums[0] + sums[1] + (sums[2] + sums[3]);
    },
  };
}
