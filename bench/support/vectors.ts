/** Item vectors of several shapes, for searches: what a scan can leave out depends on how scores are spread. Seeded. */
import { createRandom, type Random } from "#dist/core/random.js";

export type VectorShape = "uniform" | "normal" | "decaying" | "popularity" | "clustered" | "heavy";

export interface Vectors {
  items: Float32Array;
  /** numQueries × dimensions. */
  queries: Float32Array;
}

/**
 * uniform: −½…½ in each dimension, the hardest to leave out early for their size; decaying: standard deviation e^(−d/20);
 * popularity: normal vectors with log-normal lengths; clustered: 200 centres with noise of 0.15, queries near an item;
 * heavy: ratios of normals, up to 20 times the usual value in any dimension, the hardest to round.
 */
export function makeVectors(
  shape: VectorShape,
  { numItems, numQueries, dimensions }: { numItems: number; numQueries: number; dimensions: number },
): Vectors {
  const random = createRandom(7);
  const value = generator(shape, dimensions, random);
  const items = new Float32Array(numItems * dimensions);
  for (let item = 0; item < numItems; item++) value(items.subarray(item * dimensions, (item + 1) * dimensions));
  const queries = new Float32Array(numQueries * dimensions);
  for (let q = 0; q < numQueries; q++) {
    const query = queries.subarray(q * dimensions, (q + 1) * dimensions);
    if (shape === "clustered") query.set(items.subarray(q * dimensions, (q + 1) * dimensions));
    else for (let d = 0; d < dimensions; d++) query[d] = random.normal() * (shape === "decaying" ? Math.exp(-d / 20) : 1);
  }
  return { items, queries };
}

function generator(shape: VectorShape, dimensions: number, random: Random): (row: Float32Array) => void {
  const each = (value: (d: number) => number) => (row: Float32Array) => {
    for (let d = 0; d < dimensions; d++) row[d] = value(d);
  };
  const centres = Float32Array.from({ length: shape === "clustered" ? 200 * dimensions : 0 }, () => random.normal());
  switch (shape) {
    case "uniform":
      return each(() => random.uniform() - 0.5);
    case "normal":
      return each(() => random.normal());
    case "decaying":
      return each((d) => random.normal() * Math.exp(-d / 20));
    case "heavy":
      return each(() => random.normal() / Math.max(0.05, Math.abs(random.normal())));
    case "popularity":
      return (row) => {
        const length = Math.exp(1.2 * random.normal());
        for (let d = 0; d < dimensions; d++) row[d] = length * random.normal();
      };
    case "clustered":
      return (row) => {
        const centre = random.integer(200) * dimensions;
        for (let d = 0; d < dimensions; d++) row[d] = centres[centre + d] + 0.15 * random.normal();
      };
  }
}
