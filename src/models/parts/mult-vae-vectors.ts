/** From histories to query vectors: the last hidden layer, compared with the item rows of the last one. Called by mult-vae. */
import type { Parameters } from "../../nn/parameters.js";
import { sumBags } from "../../nn/table-rows.js";
import { withBias } from "./biased-vectors.js";
import { decodedMean, type MultVaeShape } from "./mult-vae-network.js";
import { createRowEncoder } from "./row-encoder.js";

export interface RowOfItems {
  /** Distinct items. */
  items: Int32Array;
}

export interface MultVaeEncoder {
  /** Writes count × (hidden + 1) values: the last hidden layer and a 1 for the item's bias. */
  encode(count: number, row: (k: number) => RowOfItems, out: Float32Array): Promise<void>;
  release(): Promise<void>;
}

/** Entry of a row of `count` ones whose length is 1. */
export const unitWeight = (count: number): number => 1 / Math.sqrt(Math.max(1, count));

export function createMultVaeEncoder(of: { parameters: Parameters; shape: MultVaeShape; encoder: Float32Array }): MultVaeEncoder {
  const { parameters, shape, encoder } = of;
  const { hidden } = shape;
  const rows = createRowEncoder({
    parameters,
    inputs: { rows: hidden },
    width: hidden,
    network: (context, inputs) => decodedMean(context, inputs.rows, shape),
  });
  return {
    release: rows.release,
    async encode(count, row, out) {
      const states = new Float32Array(count * hidden);
      await rows.encode(
        count,
        (inputs, from, to) => {
          for (let k = from; k < to; k++) {
            const { items } = row(k);
            const bag = { rows: items, offsets: Int32Array.of(0, items.length), dimensions: hidden };
            const weights = new Float32Array(items.length).fill(unitWeight(items.length));
            sumBags(encoder, { ...bag, weights }, inputs.rows.subarray((k - from) * hidden, (k - from + 1) * hidden));
          }
        },
        states,
      );
      withBias(states, 1, out.subarray(0, count * (hidden + 1)));
    },
  };
}
