/**
 * What metrics beyond accuracy need to know about items and users. One object, filled from the model where it can be;
 * a metric asks for its part through `needed`, and the error says what to pass.
 */
import { ConfigError } from "../core/errors.js";
import type { Csr } from "../core/interactions.js";

export interface MetricContext {
  readonly numItems: number;
  /** Training events per item. Default: the model's. */
  popularity?: ArrayLike<number>;
  /** User × item training matrix, the users' histories. Default: the model's. */
  history?: Csr;
  /** One row per item, row-major (features or factors), compared by cosine. Default: the model's item vectors, if it has any. */
  itemVectors?: { dimensions: number; vectors: Float32Array };
  /** Category of each item, or several that share it equally; null or an empty list for none. No default. */
  categories?: readonly (string | null | readonly string[])[];
}

const hints = {
  popularity: "popularity: the number of training events of each item",
  history: "history: the user × item matrix of training, such as train.matrixByUser()",
  itemVectors: "itemVectors: { dimensions, vectors }, one row per item, row-major",
  categories: "categories: one entry per item, a string, several, or null",
} as const;

type Part = keyof typeof hints;

/** The part, checked to cover all items; ConfigError when it is missing or has another size. */
export function needed<Key extends Part>(context: MetricContext, part: Key, metric: string): NonNullable<MetricContext[Key]> {
  const value = context[part];
  if (value === undefined) {
    throw new ConfigError(`The metric ${metric} needs ${part}, which neither the options nor the model has.`, {
      hint: `Pass context: { ${hints[part]} }.`,
      details: { path: `context.${part}` },
    });
  }
  const rows = rowsOf(context, part);
  if (rows !== context.numItems) {
    throw new ConfigError(`context.${part} covers ${rows} items, but there are ${context.numItems}.`, {
      hint: `Pass context: { ${hints[part]} }.`,
      details: { path: `context.${part}`, got: rows },
    });
  }
  return value as NonNullable<MetricContext[Key]>;
}

function rowsOf({ popularity, history, itemVectors, categories }: MetricContext, part: Part): number {
  switch (part) {
    case "popularity":
      return popularity!.length;
    case "history":
      return history!.numColumns;
    case "itemVectors":
      return itemVectors!.vectors.length / itemVectors!.dimensions;
    case "categories":
      return categories!.length;
  }
}
