/**
 * The metrics that a recipe may name, and what they need: metrics of predicted ratings a model that predicts some, some metrics of
 * lists the item property `category`. Checked before any data is read. Called by recipe.ts, evaluate.ts, tune.ts and auto.ts.
 */
import { ConfigError } from "../../core/errors.js";
import type { MetricContext } from "../../evaluation/metric-context.js";
import { parseMetric } from "../../evaluation/metrics.js";
import { predictsWeights } from "../../models/registry.js";

/** What metrics are told about items. */
export type ItemContext = Pick<MetricContext, "categories" | "itemVectors">;

type Properties = Readonly<Record<string, readonly (string | number | null)[]>>;

/** Largest items × categories of the vectors for metrics that compare items. */
const MAX_VECTOR_VALUES = 2 ** 26;

/** The parts of a recipe on which metrics depend. */
export interface MetricNeeds {
  itemProperties?: Readonly<Record<string, string>>;
  models: readonly { name: string; params: Record<string, unknown> }[];
}

/** Throws ConfigError for an unknown metric, one of ratings when no model predicts any, and one that needs categories when none are mapped. */
export function checkMetric(label: string, { itemProperties, models }: MetricNeeds): void {
  const { metric } = parseMetric(label);
  if (metric.of === "rating" && !models.some(({ name, params }) => predictsWeights(name, params)))
    throw new ConfigError(`The metric ${label} judges predicted ratings, but none of the models predicts any.`, {
      hint: "Add one that does, such as bias or svd, or als with target: value; metrics of lists are ndcg@10, recall@10, coverage@10 …",
      details: { got: label },
    });
  if (metric.of === "list" && metric.needs === "categories" && itemProperties?.category === undefined)
    throw new ConfigError(`The metric ${label} needs the category of each item.`, {
      hint: "Map it to a column in the recipe: itemProperties: { category: COLUMN }.",
      details: { path: "itemProperties.category", got: label },
    });
}

/** The same for a metric by which something is chosen; throws ConfigError also for one of the training events. */
export function checkChoice(label: string, needs: MetricNeeds): void {
  const { metric } = parseMetric(label);
  if (metric.of === "rating" && metric.on === "train")
    throw new ConfigError(`Nothing can be chosen by ${label}: it tells how well the training events are remembered.`, {
      hint: "Choose by rmse, say.",
      details: { got: label },
    });
  checkMetric(label, needs);
}

/**
 * What `metrics` need of the mapped categories: these themselves, and for metrics that compare items a vector for each item
 * with a 1 at its category (so two items are alike or not at all). Undefined when nothing is needed or no category is mapped: then
 * items are compared by the model's own vectors. Throws ConfigError when there are too many categories for vectors.
 */
export function itemContext(metrics: readonly string[], { category }: Properties): ItemContext | undefined {
  const needs = new Set(
    metrics.map((label) => parseMetric(label).metric).flatMap((metric) => (metric.of === "list" ? [metric.needs] : [])),
  );
  if (category === undefined || !(needs.has("categories") || needs.has("itemVectors"))) return undefined;
  const categories = category.map((value) => (value === null ? null : String(value)));
  return { categories, ...(needs.has("itemVectors") ? { itemVectors: categoryVectors(categories) } : {}) };
}

function categoryVectors(categories: readonly (string | null)[]): ItemContext["itemVectors"] {
  const numbers = new Map([...new Set(categories)].filter((name) => name !== null).map((name, number) => [name, number]));
  const dimensions = Math.max(1, numbers.size);
  if (dimensions * categories.length > MAX_VECTOR_VALUES)
    throw new ConfigError(`Items cannot be compared by ${dimensions} categories of ${categories.length} items.`, {
      hint: "Map itemProperties.category to a column with fewer distinct values, or leave diversity out.",
      details: { path: "itemProperties.category", got: dimensions },
    });
  const vectors = new Float32Array(categories.length * dimensions);
  for (const [item, name] of categories.entries()) if (name !== null) vectors[item * dimensions + numbers.get(name)!] = 1;
  return { dimensions, vectors };
}
