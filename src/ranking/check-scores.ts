/**
 * A model must not answer with scores that are no number: such items would drop out of lists unseen. Called by `rankers.ts`.
 */
import { TrainingError } from "../core/errors.js";
import type { FittedModel, Query } from "../core/model.js";

/** `scores`: rows of one query each. Throws TrainingError naming model, user and item. O(scores). */
export function checkScores(scores: Float32Array, queries: readonly Query[], model: FittedModel): void {
  const at = firstNaN(scores);
  if (at < 0) return;
  const width = scores.length / queries.length;
  throw noNumber(model, `for item ${at % width} and ${asker(queries[Math.floor(at / width)])}`);
}

/** `vectors`: one row of `dimensions` per query; an entry without end makes scores that are no number, too. */
export function checkQueryVectors(vectors: Float32Array, queries: readonly Query[], model: FittedModel): void {
  const at = firstNotFinite(vectors);
  if (at >= 0) throw noNumber(model, `for ${asker(queries[Math.floor(at / (vectors.length / queries.length))])}`);
}

/** The item matrix, numItems × dimensions; once per index. */
export function checkItemVectors(vectors: Float32Array, dimensions: number, model: FittedModel): void {
  const at = firstNotFinite(vectors);
  if (at >= 0) throw noNumber(model, `for item ${Math.floor(at / dimensions)} and every user`);
}

function firstNaN(values: Float32Array): number {
  for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i])) return i;
  return -1;
}

function firstNotFinite(values: Float32Array): number {
  let zero = 0; // 0 · v is 0 for numbers alone; a sum is several times as fast as a test of each
  for (let i = 0; i < values.length; i++) zero += 0 * values[i];
  if (zero === 0) return -1;
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return i;
  return -1;
}

function asker({ userIndex = -1 }: Query): string {
  return userIndex >= 0 ? `user ${userIndex}` : "a given history";
}

function noNumber(model: FittedModel, whom: string): TrainingError {
  return new TrainingError(`The model ${model.name} has a score that is not a number ${whom}.`, {
    hint: "Its training went astray: train again with other parameters or cleaner data.",
    details: { model: model.name },
  });
}
