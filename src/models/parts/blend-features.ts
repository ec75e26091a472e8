/**
 * Scores of different models on one scale: standard scores over the items of a query, as they are (`standard`), as signed logarithms
 * (`compressed`: far ahead counts less), or both as two features. A model that has no preference among the items gives zeros.
 */
import type { FittedModel, Query } from "../../core/model.js";
import { scoreRows } from "./score-rows.js";

export const FEATURE_SCALES = ["standard", "compressed", "both"] as const;
export type FeatureScale = (typeof FEATURE_SCALES)[number];

/** Features per model. */
export const FEATURES_OF: Record<FeatureScale, number> = { standard: 1, compressed: 1, both: 2 };

/** Calls `visit` for each model and feature with values of queries.length × numItems, row-major, valid during the call. */
export async function blendFeatures(
  models: readonly FittedModel[],
  queries: readonly Query[],
  scale: FeatureScale,
  visit: (model: number, feature: number, values: Float32Array) => void,
): Promise<void> {
  const { numItems } = models[0];
  const values = new Float32Array(queries.length * numItems);
  for (const [m, model] of models.entries()) {
    await scoreRows(model, queries, values);
    for (let q = 0; q < queries.length; q++) standardise(values.subarray(q * numItems, (q + 1) * numItems));
    if (scale !== "compressed") visit(m, 0, values);
    if (scale === "standard") continue;
    for (let at = 0; at < values.length; at++) values[at] = Math.sign(values[at]) * Math.log1p(Math.abs(values[at]));
    visit(m, FEATURES_OF[scale] - 1, values);
  }
}

/** (s − mean) / sd in place; zeros where all scores are equal. */
function standardise(row: Float32Array): void {
  let sum = 0;
  for (let i = 0; i < row.length; i++) sum += row[i];
  const mean = sum / row.length;
  let squares = 0;
  for (let i = 0; i < row.length; i++) squares += (row[i] - mean) ** 2;
  const sd = Math.sqrt(squares / row.length);
  const factor = sd > 1e-12 * Math.abs(mean) && sd > 0 ? 1 / sd : 0;
  for (let i = 0; i < row.length; i++) row[i] = (row[i] - mean) * factor;
}
