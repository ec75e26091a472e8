/**
 * Held-out pairs for benchmarks of ranking models, and how vectors rank them: over 2,000 users, among all items not in training,
 *   AUC = share of (held-out, other) pairs in the right order,  NDCG@10 with binary gain.
 */
import type { Csr } from "#dist/core/interactions.js";
import { createRandom } from "#dist/core/random.js";

const judgedUsers = 2000;

/** About one pair in `every` is taken out, the same ones each time; heldOut[user] are its items. Users keep at least one pair. */
export function holdOut({ numRows, numColumns, offsets, indices, values }: Csr, every: number): { train: Csr; heldOut: Int32Array[] } {
  const random = createRandom(every);
  const keptOffsets = new Int32Array(numRows + 1);
  const kept = new Int32Array(indices.length);
  const heldOut: Int32Array[] = [];
  let end = 0;
  for (let user = 0; user < numRows; user++) {
    const out: number[] = [];
    for (let e = offsets[user]; e < offsets[user + 1]; e++) {
      if (random.integer(every) === 0 && e > offsets[user]) out.push(indices[e]);
      else kept[end++] = indices[e];
    }
    keptOffsets[user + 1] = end;
    heldOut.push(Int32Array.from(out));
  }
  const train = { numRows, numColumns, offsets: keptOffsets, indices: kept.slice(0, end), values: values.slice(0, end) };
  return { train, heldOut };
}

/** Vectors are row-major; a score is their dot product. */
export function heldOutQuality(
  { userVectors, itemVectors, dimensions }: { userVectors: Float32Array; itemVectors: Float32Array; dimensions: number },
  train: Csr,
  heldOut: readonly Int32Array[],
): { auc: number; ndcg10: number } {
  const step = Math.max(1, Math.floor(train.numRows / judgedUsers));
  const scores = new Float64Array(train.numColumns);
  let [auc, ndcg, users] = [0, 0, 0];
  for (let user = 0; user < train.numRows; user += step) {
    const relevant = heldOut[user];
    if (relevant.length === 0) continue;
    const vector = userVectors.subarray(user * dimensions, (user + 1) * dimensions);
    for (let item = 0; item < scores.length; item++) {
      let score = 0;
      for (let d = 0; d < dimensions; d++) score += vector[d] * itemVectors[item * dimensions + d];
      scores[item] = score;
    }
    for (let e = train.offsets[user]; e < train.offsets[user + 1]; e++) scores[train.indices[e]] = -Infinity;
    const candidates = train.numColumns - (train.offsets[user + 1] - train.offsets[user]);
    // places of the held-out items, best first; the places before them that are not held out are pairs in the wrong order
    const places = Array.from(relevant, (item) => scores.reduce((place, score) => place + (score > scores[item] ? 1 : 0), 0)).sort(
      (a, b) => a - b,
    );
    const wrong = places.reduce((sum, place, k) => sum + place - k, 0);
    auc += 1 - wrong / (relevant.length * (candidates - relevant.length));
    const ideal = places.slice(0, 10).reduce((sum, _, k) => sum + 1 / Math.log2(k + 2), 0);
    ndcg += places.reduce((sum, place) => sum + (place < 10 ? 1 / Math.log2(place + 2) : 0), 0) / ideal;
    users++;
  }
  return { auc: auc / users, ndcg10: ndcg / users };
}
