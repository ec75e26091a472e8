/**
 * calibration@k = Σ_c p(c) ln(p(c) / q̃(c)), q̃ = 0.99 q + 0.01 p: divergence between the categories of the user's history (p, events
 * weighted) and those of the list (q, places alike); 0 is perfect. An item with several categories belongs to each in equal parts.
 * Undefined when history or list has no category. Steck (2018), Calibrated recommendations, eq. 1–4.
 */
import type { Query } from "../../core/model.js";
import type { ListMetric } from "../metric.js";
import { type MetricContext, needed } from "../metric-context.js";

const SMOOTHING = 0.01;

export const calibration: ListMetric = {
  name: "calibration",
  title: "Miscalibration",
  formula: "KL(history categories ‖ list categories)",
  of: "list",
  needs: "categories",
  prepare(context, k) {
    const { offsets, ids, numCategories } = categoryIds(needed(context, "categories", `calibration@${k}`));
    const history = needed(context, "history", `calibration@${k}`);
    const wanted = new Float64Array(numCategories);
    const shown = new Float64Array(numCategories);
    const add = (to: Float64Array, item: number, weight: number) => {
      const share = weight / (offsets[item + 1] - offsets[item]);
      for (let c = offsets[item]; c < offsets[item + 1]; c++) to[ids[c]] += share;
    };
    return ({ query, items }) => {
      wanted.fill(0);
      shown.fill(0);
      eachPastItem(query, history, (item, weight) => add(wanted, item, weight));
      for (let r = 0; r < items.length; r++) add(shown, items[r], 1);
      return divergence(wanted, shown);
    };
  },
};

function divergence(wanted: Float64Array, shown: Float64Array): number {
  const wantedSum = wanted.reduce((a, b) => a + b, 0);
  const shownSum = shown.reduce((a, b) => a + b, 0);
  if (wantedSum === 0 || shownSum === 0) return Number.NaN;
  let sum = 0;
  for (let c = 0; c < wanted.length; c++) {
    const p = wanted[c] / wantedSum;
    if (p > 0) sum += p * Math.log(p / ((1 - SMOOTHING) * (shown[c] / shownSum) + SMOOTHING * p));
  }
  return sum;
}

function eachPastItem(
  { history, userIndex = -1 }: Query,
  past: NonNullable<MetricContext["history"]>,
  visit: (item: number, weight: number) => void,
) {
  if (history?.length) for (const { itemIndex, weight = 1 } of history) visit(itemIndex, weight);
  else if (userIndex >= 0)
    for (let e = past.offsets[userIndex]; e < past.offsets[userIndex + 1]; e++) visit(past.indices[e], past.values[e]);
}

/** Dense category numbers by item, CSR. */
function categoryIds(categories: NonNullable<MetricContext["categories"]>) {
  const idOf = new Map<string, number>();
  const offsets = new Int32Array(categories.length + 1);
  const ids: number[] = [];
  for (const [item, entry] of categories.entries()) {
    for (const name of new Set(typeof entry === "string" ? [entry] : (entry ?? []))) {
      if (!idOf.has(name)) idOf.set(name, idOf.size);
      ids.push(idOf.get(name)!);
    }
    offsets[item + 1] = ids.length;
  }
  return { offsets, ids: Int32Array.from(ids), numCategories: idOf.size };
}
