/**
 * Nearest items or users: by the model's own measure where it has one, else by the cosine of its vectors.
 * One object for each of the two; the index over the vectors is built on first use. Called by `create-recommender.ts`.
 */
import { ConfigError, throwIfCancelled } from "../core/errors.js";
import type { FittedModel, ScoredRows } from "../core/model.js";
import { createTopKIndex, type TopKIndex } from "../kernels/top-k.js";
import { type CheckedOptions, checkRow, type Rows } from "./check-query.js";
import { containsSorted, sortedDistinct } from "./excluded-lists.js";

export interface SimilarRows {
  /** At most `topK` rows, without the row itself. Throws ConfigError when the model knows no similarity of such rows. */
  find(row: number, options: CheckedOptions): Promise<ScoredRows>;
  dispose(): void;
}

/** Whether the model can say which items, or users, are like one. */
export function knowsSimilar(fitted: FittedModel, kind: Rows["kind"]): boolean {
  const { nearest, vectors } = routesOf(fitted, kind);
  return nearest !== undefined || vectors !== undefined;
}

export function createSimilarRows(fitted: FittedModel, { kind, size }: Rows, { threads }: { threads: number }): SimilarRows {
  const { nearest, vectors } = routesOf(fitted, kind);
  let index: Promise<TopKIndex> | undefined;

  const byVectors = async (row: number, { topK, include, exclude, signal }: CheckedOptions): Promise<ScoredRows> => {
    const { dimensions, vectors: values } = vectors!;
    const unit = unitRows(values.subarray(row * dimensions, (row + 1) * dimensions), dimensions);
    if (unit.every((value) => value === 0)) return none(); // training never saw this row
    index ??= createTopKIndex(unitRows(values, dimensions), { numItems: size, dimensions, threads });
    const without = sortedDistinct([row, ...exclude, ...(include ? complement(include, size) : [])]);
    const excluded = { offsets: Int32Array.of(0, without.length), indices: without };
    const { itemIndex, score } = await (await index).search(unit, { topK, excluded, signal });
    const length = itemIndex.findLastIndex((found) => found >= 0) + 1;
    return { index: itemIndex.subarray(0, length), score: score.subarray(0, length) };
  };

  const byOwnMeasure = async (row: number, { topK, include, exclude, signal }: CheckedOptions): Promise<ScoredRows> => {
    const without = sortedDistinct([row, ...exclude]);
    // enough that topK remain after the caller's filters
    const found = await nearest!(row, include ? size : Math.min(size, topK + without.length));
    throwIfCancelled(signal);
    const kept: number[] = [];
    for (let at = 0; at < found.index.length && kept.length < topK; at++) {
      const other = found.index[at];
      if (!containsSorted(without, other) && (!include || containsSorted(include, other))) kept.push(at);
    }
    return { index: Int32Array.from(kept, (at) => found.index[at]), score: Float32Array.from(kept, (at) => found.score[at]) };
  };

  return {
    async find(row, options) {
      checkRow(kind === "item" ? "similarItems" : "similarUsers", row, { kind, size });
      throwIfCancelled(options.signal);
      if (nearest) return byOwnMeasure(row, options);
      if (vectors) return byVectors(row, options);
      throw new ConfigError(`The model ${fitted.name} knows no similar ${kind}s.`, {
        hint: `It keeps neither vectors of ${kind}s nor a similarity between them; use a model that does, such as als.`,
      });
    },
    dispose() {
      index?.then((built) => built.dispose());
      index = undefined;
    },
  };
}

function routesOf(fitted: FittedModel, kind: Rows["kind"]) {
  return kind === "item"
    ? { nearest: fitted.similarItems?.bind(fitted), vectors: fitted.itemSimilarityVectors }
    : { nearest: fitted.similarUsers?.bind(fitted), vectors: fitted.userSimilarityVectors };
}

function none(): ScoredRows {
  return { index: new Int32Array(0), score: new Float32Array(0) };
}

function complement(include: Int32Array, size: number): number[] {
  const out: number[] = [];
  for (let row = 0, i = 0; row < size; row++) {
    if (include[i] === row) i++;
    else out.push(row);
  }
  return out;
}

/** Rows scaled to length 1; zero rows stay zero. */
function unitRows(vectors: Float32Array, dimensions: number): Float32Array {
  const out = new Float32Array(vectors.length);
  for (let at = 0; at < vectors.length; at += dimensions) {
    let squares = 0;
    for (let d = 0; d < dimensions; d++) squares += vectors[at + d] ** 2;
    const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
    for (let d = 0; d < dimensions; d++) out[at + d] = vectors[at + d] * scale;
  }
  return out;
}
