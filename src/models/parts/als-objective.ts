/**
 * From data and parameters to the numbers that the als kernels take: the extra weight and the goal of every observed pair.
 *   e_ui = alpha · s_ui · C_i,  s = weight for target "preference", 1 for "value";  a_ui = 1, or the weight
 *   C_i = 1 | (1 / n_i)^featureWeightExponent | observedWeight / n_i,  n_i = pairs of item i in training, at least 1
 * An extra weight beyond 2^30 counts as 2^30: its pair is met to the last bit either way, and float32 sums stay finite.
 * Values beyond 2^20 are fitted in units of a power of 4 (`valueUnit`), so that squares stay in float32; user vectors are multiplied back.
 * Called by als-fit.ts for training, and by als-model.ts for histories.
 */
import type { Csr } from "../../core/interactions.js";
import type { HistoryEvent } from "../../core/model.js";
import type { AlsHistory } from "../../kernels/als.js";
import type { AlsParams } from "./als-params.js";

const largestExtra = 2 ** 30;

/** What decides the weight and the goal of a pair. */
export interface PairRule {
  target: AlsParams["target"];
  alpha: number;
  /** C by item; 1 for all when absent. */
  itemWeights: Float32Array | undefined;
  /** A power of 4; 1 but for huge values. */
  valueUnit: number;
}

/** The rule that follows from the training matrix, user × item. */
export function pairRule({ numColumns, indices, values }: Csr, params: AlsParams): PairRule {
  const { target, alpha, itemWeights, featureWeightExponent, observedWeight } = params;
  let valueUnit = 1;
  if (target === "value") {
    const largest = values.reduce((most, value) => Math.max(most, value), 0);
    if (largest > 2 ** 20) valueUnit = 4 ** Math.ceil(Math.log2(largest) / 2);
  }
  if (itemWeights === "none") return { target, alpha, itemWeights: undefined, valueUnit };
  const counts = new Int32Array(numColumns);
  for (const item of indices) counts[item]++;
  const weightOf = (n: number) => (itemWeights === "log" ? n ** -featureWeightExponent : observedWeight / n);
  return { target, alpha, itemWeights: Float32Array.from(counts, (n) => weightOf(Math.max(1, n))), valueUnit };
}

/** The matrix with e / alpha as values, and the goals in the same order (absent when all are 1). `items`: which side the rows are. */
export function weighted(matrix: Csr, items: "rows" | "columns", rule: PairRule): { matrix: Csr; goals: Float32Array | undefined } {
  const { offsets, indices, values, numRows } = matrix;
  const goals = rule.target === "value" ? values.map((value) => value / rule.valueUnit) : undefined;
  const { itemWeights } = rule;
  const most = largestExtra / rule.alpha;
  if (!goals && !itemWeights && !values.some((value) => value > most)) return { matrix, goals };
  const extras = new Float32Array(values.length);
  for (let row = 0; row < numRows; row++)
    for (let e = offsets[row]; e < offsets[row + 1]; e++)
      extras[e] = Math.min(most, (goals ? 1 : values[e]) * (itemWeights?.[items === "rows" ? row : indices[e]] ?? 1));
  return { matrix: { ...matrix, values: extras }, goals };
}

/** A history as a training row: weights of repeated items summed, items ascending. */
export function historyRow(history: readonly HistoryEvent[]): { indices: Int32Array; values: Float32Array } {
  const sums = new Map<number, number>();
  for (const { itemIndex, weight = 1 } of history) sums.set(itemIndex, (sums.get(itemIndex) ?? 0) + weight);
  const indices = Int32Array.from(sums.keys()).sort();
  return { indices, values: Float32Array.from(indices, (item) => sums.get(item)!) };
}

/** What the fold-in kernel takes for one row of items and weights. */
export function foldInRow({ indices, values }: { indices: Int32Array; values: Float32Array }, rule: PairRule): AlsHistory {
  const row: Csr = { numRows: 1, numColumns: 0, offsets: Int32Array.of(0, indices.length), indices, values };
  const { matrix, goals } = weighted(row, "columns", rule);
  return { indices, weights: matrix.values, goals };
}
