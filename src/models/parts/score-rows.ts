/** Scores of all items, or of some, of any fitted model, whichever route it offers. Called by blend and two-stage. */
import type { FittedModel, Query } from "../../core/model.js";

/** Writes queries.length × numItems scores into `out`, row-major. */
export async function scoreRows(model: FittedModel, queries: readonly Query[], out: Float32Array): Promise<void> {
  if (model.scoreAll) return model.scoreAll(queries, out);
  const { dimensions, itemVectors, encode } = model.vectors!;
  const vectors = new Float32Array(queries.length * dimensions);
  await encode(queries, vectors);
  for (let q = 0; q < queries.length; q++) {
    const query = vectors.subarray(q * dimensions, (q + 1) * dimensions);
    const row = out.subarray(q * model.numItems, (q + 1) * model.numItems);
    for (let item = 0, at = 0; item < row.length; item++) {
      let even = 0;
      let odd = 0;
      let d = 0;
      for (; d + 1 < dimensions; d += 2, at += 2) {
        even += query[d] * itemVectors[at];
        odd += query[d + 1] * itemVectors[at + 1];
      }
      if (d < dimensions) even += query[d] * itemVectors[at++];
      row[item] = even + odd;
    }
  }
}

/** Scores of given items for one query. */
export async function scoreItems(model: FittedModel, query: Query, itemIndexes: Int32Array): Promise<Float32Array> {
  const scores = new Float32Array(itemIndexes.length);
  if (model.scoreCandidates) {
    await model.scoreCandidates([query], itemIndexes, scores);
    return scores;
  }
  if (!model.scoreAll) {
    const { dimensions, itemVectors, encode } = model.vectors!;
    const vector = new Float32Array(dimensions);
    await encode([query], vector);
    itemIndexes.forEach((item, k) => {
      for (let d = 0; d < dimensions; d++) scores[k] += vector[d] * itemVectors[item * dimensions + d];
    });
    return scores;
  }
  const row = new Float32Array(model.numItems);
  await model.scoreAll([query], row);
  return scores.map((_, k) => row[itemIndexes[k]]);
}
