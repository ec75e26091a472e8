/** The kernel that adds rows to their places against a plain loop, bit for bit: widths that are no multiple of 4, several pieces, places that repeat and that are dropped. */
import { expect, it } from "vitest";
import { createRandom } from "../../src/core/random.js";
import { createRowSums } from "../../src/kernels/row-sums.js";
import { builds } from "./variants.js";

it.each(builds)("row sums, %s", async (build) => {
  const random = createRandom(3);
  for (const dimensions of [1, 3, 4, 7, 32, 200, 5000]) {
    const capacity = 9;
    const sums = await createRowSums({ capacity, dimensions }, { build });
    const expected = new Float32Array(capacity * dimensions);
    for (const count of [0, 1, dimensions < 100 ? 6000 : 20]) {
      const places = Int32Array.from({ length: count }, () => random.integer(capacity + 1) - 1);
      const gradients = new Float32Array(count * dimensions).map(() => random.normal() * 10 ** random.integer(6));
      sums.add(places, gradients);
      for (let k = 0; k < count; k++)
        if (places[k] >= 0) for (let d = 0; d < dimensions; d++) expected[places[k] * dimensions + d] += gradients[k * dimensions + d];
    }
    expect(sums.values).toEqual(expected);
  }
});
