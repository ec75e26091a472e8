/** Features of items for the models that cannot be fitted without: they follow from an item's events, whatever its index. */
import type { Features } from "../../src/core/features.js";
import type { Interactions } from "../../src/core/interactions.js";
import type { ModelDefinition } from "../../src/core/model.js";

export function featuresFor({ requires }: Pick<ModelDefinition, "requires">, data: Interactions): { itemFeatures?: Features } {
  if (requires === undefined) return {};
  const counts = new Int32Array(data.numItems);
  for (const item of data.itemIndex) counts[item]++;
  const words = ["small", "round", "old", "warm", "light"];
  return {
    itemFeatures: {
      numRows: data.numItems,
      columns: {
        colour: { kind: "category", values: Array.from(counts, (count) => (count === 0 ? null : `colour ${count % 4}`)) },
        about: { kind: "text", values: Array.from(counts, (count) => words.filter((_, w) => (count >> w) & 1).join(" ")) },
      },
    },
  };
}
