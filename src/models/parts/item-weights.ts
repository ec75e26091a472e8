/**
 * Scoring by item-to-item weights, for every model that is such a matrix (item-knn, rp3beta, ease, slim …):
 *   score(q, i) = Σ_{j in history(q)} value_j · W[j, i],  value_j = valueFrom(weight_j) · decay^(place of j, 0 = newest)
 * Sums are float64 in ascending j and rounded once: a training row and an equal `history` give the same bits, and the order
 * of items hardly ever shows. O(history × entries of a row of W) a query.
 */
import type { Csr } from "../../core/interactions.js";
import type { FittedModel, Query } from "../../core/model.js";
import { createPacer } from "../../core/pacer.js";
import { historyRow } from "./user-history.js";

export interface ItemWeights {
  numItems: number;
  /** Row j: what an item j of the history adds to every other. Sparse (CSR, columns in any order) or dense (numItems², row-major). */
  weights: Pick<Csr, "offsets" | "indices" | "values"> | Float32Array;
  /** User × item matrix of training: the histories of known users. */
  seen: Csr;
  /** Value of an item from its summed weight. Default: the weight itself. */
  valueFrom?: (weight: number) => number;
  /** Values of a whole history at once, where they depend on each other; in place of `valueFrom`. */
  valuesFrom?: (weights: Float32Array) => Float64Array;
  /** `recency` is aligned to the entries of `seen` (`recencyOf`); without decay every place counts the same. */
  decay?: { perPlace: number; recency: Int32Array };
}

export type ItemWeightScorer = Required<Pick<FittedModel, "scoreAll" | "scoreCandidates" | "explain" | "similarItems">>;

/** A history ready for scoring: items ascending, each with its value. */
interface ValuedHistory {
  indices: Int32Array;
  values: Float64Array;
}

export function createItemWeightScorer({ numItems, weights, seen, valueFrom, valuesFrom, decay }: ItemWeights): ItemWeightScorer {
  const matrix = weights instanceof Float32Array ? denseRows(weights, numItems) : sparseRows(weights);

  const valuedHistory = (query: Query): ValuedHistory => {
    const { indices, weights, recency } = historyRow(query, seen, decay?.recency);
    const values = valuesFrom ? valuesFrom(weights) : Float64Array.from(weights, valueFrom);
    if (decay && recency) for (let k = 0; k < values.length; k++) values[k] *= decay.perPlace ** recency[k];
    return { indices, values };
  };

  /** Adds the rows of the whole history to `sums`; gives way now and then, so `sums` belongs to one call alone. */
  const addRows = async ({ indices, values }: ValuedHistory, sums: Float64Array, pace: () => Promise<void>) => {
    let work = 0;
    for (let k = 0; k < indices.length; k++) {
      work += matrix.addRow(indices[k], values[k], sums);
      if (work < 2 ** 20) continue;
      await pace();
      work = 0;
    }
  };

  return {
    async scoreAll(queries, out) {
      const pace = createPacer(undefined);
      const sums = new Float64Array(numItems);
      for (let q = 0; q < queries.length; q++) {
        await pace();
        sums.fill(0);
        await addRows(valuedHistory(queries[q]), sums, pace);
        out.set(sums, q * numItems);
      }
    },

    async scoreCandidates(queries, itemIndexes, out) {
      const pace = createPacer(undefined);
      const count = itemIndexes.length;
      for (let q = 0; q < queries.length; q++) {
        await pace();
        const { indices, values } = valuedHistory(queries[q]);
        out.set(matrix.scoresOf(itemIndexes, indices, values), q * count);
      }
    },

    async explain(query, itemIndex) {
      const { indices, values } = valuedHistory(query);
      const parts: { item: number; value: number }[] = [];
      let score = 0;
      for (let k = 0; k < indices.length; k++) {
        const value = values[k] * matrix.at(indices[k], itemIndex);
        score += value;
        if (value !== 0) parts.push({ item: indices[k], value: Math.fround(value) });
      }
      parts.sort((a, b) => b.value - a.value || a.item - b.item);
      return {
        score: Math.fround(score),
        base: 0,
        itemIndex: Int32Array.from(parts, ({ item }) => item),
        contribution: Float32Array.from(parts, ({ value }) => value),
      };
    },

    async similarItems(itemIndex, count) {
      const rows = matrix.entries(itemIndex).filter(({ item, weight }) => item !== itemIndex && weight > 0);
      rows.sort((a, b) => b.weight - a.weight || a.item - b.item);
      const best = rows.slice(0, count);
      return { index: Int32Array.from(best, ({ item }) => item), score: Float32Array.from(best, ({ weight }) => weight) };
    },
  };
}

interface RowMatrix {
  /** sums += value · W[row, ·]; returns the number of entries it went through. */
  addRow(row: number, value: number, sums: Float64Array): number;
  /** Σ_k values[k] · W[rows[k], column] for each of `columns`. */
  scoresOf(columns: Int32Array, rows: Int32Array, values: Float64Array): Float64Array;
  at(row: number, column: number): number;
  entries(row: number): { item: number; weight: number }[];
}

function sparseRows({ offsets, indices, values }: Pick<Csr, "offsets" | "indices" | "values">): RowMatrix {
  const numItems = offsets.length - 1;
  const matrix: RowMatrix = {
    addRow(row, value, sums) {
      const end = offsets[row + 1];
      for (let e = offsets[row]; e < end; e++) sums[indices[e]] += value * values[e];
      return end - offsets[row];
    },
    scoresOf(columns, rows, rowValues) {
      const sums = new Float64Array(numItems);
      for (let k = 0; k < rows.length; k++) matrix.addRow(rows[k], rowValues[k], sums);
      return Float64Array.from(columns, (column) => sums[column]);
    },
    at(row, column) {
      const place = indices.subarray(offsets[row], offsets[row + 1]).indexOf(column);
      return place < 0 ? 0 : values[offsets[row] + place];
    },
    entries: (row) =>
      Array.from(indices.subarray(offsets[row], offsets[row + 1]), (item, k) => ({ item, weight: values[offsets[row] + k] })),
  };
  return matrix;
}

function denseRows(weights: Float32Array, numItems: number): RowMatrix {
  return {
    addRow(row, value, sums) {
      const start = row * numItems;
      for (let i = 0; i < numItems; i++) sums[i] += value * weights[start + i];
      return numItems;
    },
    scoresOf(columns, rows, rowValues) {
      const scores = new Float64Array(columns.length);
      for (let k = 0; k < rows.length; k++) {
        const start = rows[k] * numItems;
        for (let c = 0; c < columns.length; c++) scores[c] += rowValues[k] * weights[start + columns[c]];
      }
      return scores;
    },
    at: (row, column) => weights[row * numItems + column],
    entries: (row) => Array.from(weights.subarray(row * numItems, (row + 1) * numItems), (weight, item) => ({ item, weight })),
  };
}
