/**
 * How the side features of users or items enter a network. A plan is learned from the training data and saved as JSON: which values are
 * embedded (ids, categories, bucketed numbers, hashed words: rows of an embedding table, the first row of each field standing for
 * unknown) and which go in as numbers (standardised numbers, vectors). feature-encoder.ts applies it. Called by dcn, deepfm, two-tower.
 */
import { z } from "zod";
import { DataError } from "../../core/errors.js";
import type { FeatureColumn, Features } from "../../core/features.js";

const name = z.string();
const fieldSchema = z.discriminatedUnion("kind", [
  /** One row per user or item with events; the others are unknown. */
  z.strictObject({ kind: z.literal("id"), name, size: z.int().min(1) }),
  z.strictObject({ kind: z.literal("category"), name, names: z.array(z.string()) }),
  /** Bucket = number of edges ≤ value. */
  z.strictObject({ kind: z.literal("buckets"), name, edges: z.array(z.number()) }),
  z.strictObject({ kind: z.literal("text"), name, buckets: z.int().min(1) }),
  /** (value − mean) · scale; with `flag` a second number says that the value is unknown. */
  z.strictObject({ kind: z.literal("number"), name, mean: z.number(), scale: z.number(), flag: z.boolean() }),
  z.strictObject({ kind: z.literal("vector"), name, dimensions: z.int().min(1), scale: z.number(), flag: z.boolean() }),
]);

export const featurePlanSchema = z.array(fieldSchema);
export type FieldPlan = z.output<typeof fieldSchema>;
/** One entry per feature, in the order of the columns, the id first. */
export type FeaturePlan = readonly FieldPlan[];

export interface FeaturePlanOptions {
  /** Embed the id itself. Default true. */
  id?: boolean;
  /** standardized: as a number; buckets: embedded, by quantile. Default "standardized". */
  numbers?: "standardized" | "buckets";
  /** Most buckets of a number. Default 10. */
  numberBuckets?: number;
  /** Rows that hashed words share. Default 4096. */
  textBuckets?: number;
}

export interface FeatureSource {
  whose: "users" | "items";
  numRows: number;
  /** Columns of `numRows` values; without them there is the id alone. */
  features?: Features;
  /** 1 for rows with events: only their values are learned from. */
  known: Uint8Array;
}

/** Rarer names of a category column count as unknown. */
const MOST_NAMES = 100_000;

/**
 * Learns a plan. Columns of which nothing is known are left out. Throws DataError when row counts do not match, or when there is
 * neither id nor a column that says anything.
 */
export function planFeatures(source: FeatureSource, options: FeaturePlanOptions = {}): FeaturePlan {
  const { whose, numRows, features, known } = source;
  checkRows(source);
  const plan: FieldPlan[] = (options.id ?? true) ? [{ kind: "id", name: whose === "users" ? "user" : "item", size: numRows }] : [];
  for (const [name, column] of Object.entries(features?.columns ?? {})) {
    const field = planColumn(name, column, { known, ...options });
    if (field) plan.push(field);
  }
  if (plan.length === 0)
    throw new DataError(`There are no features of ${whose} to learn from.`, { hint: "Give feature columns with values, or use the id." });
  return plan;
}

/** Throws DataError when a table or a column has not `numRows` rows. */
export function checkRows({ whose, numRows, features }: Omit<FeatureSource, "known">): void {
  if (!features) return;
  const hint = "Align the feature columns to the ids of the data.";
  if (features.numRows !== numRows)
    throw new DataError(`The features of ${whose} have ${features.numRows} rows, but there are ${numRows} ${whose}.`, { hint });
  for (const [name, column] of Object.entries(features.columns)) {
    const expected = column.kind === "vector" ? numRows * column.dimensions : numRows;
    if (column.values.length !== expected)
      throw new DataError(`The feature ${name} of ${whose} has ${column.values.length} values, expected ${expected}.`, { hint });
  }
}

function planColumn(
  name: string,
  column: FeatureColumn,
  { known, numbers = "standardized", numberBuckets = 10, textBuckets = 4096 }: FeaturePlanOptions & { known: Uint8Array },
): FieldPlan | undefined {
  switch (column.kind) {
    case "category": {
      const names = frequentNames(column.values, known);
      return names.length > 0 ? { kind: "category", name, names } : undefined;
    }
    case "text":
      return column.values.some((text, row) => known[row] && text) ? { kind: "text", name, buckets: textBuckets } : undefined;
    case "number": {
      const values = Float64Array.from(column.values).filter((value, row) => known[row] && Number.isFinite(value));
      if (values.length === 0) return undefined;
      if (numbers === "buckets") return { kind: "buckets", name, edges: quantileEdges(values.sort(), numberBuckets) };
      const mean = values.reduce((sum, value) => sum + value / values.length, 0);
      const sd = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2 / values.length, 0));
      return { kind: "number", name, mean, scale: sd > 0 ? 1 / sd : 0, flag: column.values.some((value) => !Number.isFinite(value)) };
    }
    case "vector": {
      const { values, dimensions } = column;
      let [squares, count, flag] = [0, 0, false];
      known.forEach((isKnown, row) => {
        const vector = values.subarray(row * dimensions, (row + 1) * dimensions);
        if (!vector.every(Number.isFinite)) flag = true;
        else if (isKnown) {
          count++;
          for (const value of vector) squares += value ** 2;
        }
      });
      return squares > 0 ? { kind: "vector", name, dimensions, scale: Math.sqrt((count * dimensions) / squares), flag } : undefined;
    }
  }
}

function frequentNames(values: readonly (string | null)[], known: Uint8Array): string[] {
  const counts = new Map<string, number>();
  values.forEach((value, row) => {
    if (value !== null && known[row]) counts.set(value, (counts.get(value) ?? 0) + 1);
  });
  const sorted = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  return sorted.slice(0, MOST_NAMES).map(([value]) => value);
}

/** Distinct inner quantiles of ascending values. */
function quantileEdges(sorted: Float64Array, buckets: number): number[] {
  const edges = new Set<number>();
  for (let b = 1; b < buckets; b++) {
    const edge = sorted[Math.floor((b * sorted.length) / buckets)];
    if (edge > sorted[0]) edges.add(edge);
  }
  return [...edges];
}
