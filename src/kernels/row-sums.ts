/**
 * Binding of assembly/add-rows.ts: sums of gradients stay in kernel memory, the gradients pass through it a piece at a time. Runs on the
 * calling thread. Called by src/nn/sparse-table.ts.
 */
import { type ArenaOptions, createArena } from "./arena.js";

export interface RowSums {
  /** capacity × dimensions, row-major, zeros at first. */
  readonly values: Float32Array;
  /** Rows of `gradients` are added to rows `places` of `values`, below capacity; a negative place drops the row. */
  add(places: Int32Array, gradients: Float32Array): void;
}

/** Values that are copied at once: 64 KiB. */
const PIECE = 16_384;

/** Throws KernelError when the kernels cannot be loaded. */
export async function createRowSums(
  { capacity, dimensions }: { capacity: number; dimensions: number },
  { build }: Pick<ArenaOptions, "build"> = {},
): Promise<RowSums> {
  const rows = Math.max(1, Math.floor(PIECE / dimensions));
  const blocks = { sums: 4 * capacity * dimensions, gradients: 4 * rows * dimensions, places: 4 * rows };
  const arena = await createArena({ purpose: "Sums of rows", hint: "", blocks, scratchBytes: 0 }, { threads: 1, shared: false, build });
  const [gradientsHere, placesHere] = [arena.float32("gradients", rows * dimensions), arena.int32("places", rows)];
  const { pointers } = arena;
  const args = [pointers.gradients, pointers.places, dimensions, pointers.sums];
  return {
    values: arena.float32("sums", capacity * dimensions),
    add(places, gradients) {
      for (let begin = 0; begin < places.length; begin += rows) {
        const count = Math.min(rows, places.length - begin);
        placesHere.set(places.subarray(begin, begin + count));
        gradientsHere.set(gradients.subarray(begin * dimensions, (begin + count) * dimensions));
        arena.runHere("addRows", { count, args });
      }
    },
  };
}
