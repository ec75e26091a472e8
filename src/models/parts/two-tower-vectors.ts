/** Vectors from trained towers: of questions (a user, a history, or both), and of all items. Called by two-tower. */
import type { Csr } from "../../core/interactions.js";
import type { Query } from "../../core/model.js";
import type { Parameters } from "../../nn/parameters.js";
import type { SessionOptions } from "../../nn/session.js";
import { createRowEncoder } from "./row-encoder.js";
import { type ItemBag, type TowerSource, towerBatch, writeTowerInputs } from "./tower-inputs.js";
import { towerInputs, towerVectors } from "./tower-network.js";
import type { TwoTowerParams } from "./two-tower-params.js";
import { historyRow } from "./user-history.js";

export interface TowerQuestions {
  /** Row of the side's features, −1 for none. */
  indexes: Int32Array;
  /** History of each, where the tower reads one. */
  bag(k: number): ItemBag;
}

export interface TowerEncoder {
  /** Writes one vector per question. */
  encode(questions: TowerQuestions, out: Float32Array): Promise<void>;
  release(): Promise<void>;
}

export function createTowerEncoder(
  { parameters, source }: { parameters: Parameters; source: TowerSource },
  options: SessionOptions = {},
): TowerEncoder {
  const { shape } = source;
  const rows = createRowEncoder(
    {
      parameters,
      inputs: towerInputs(shape),
      width: shape.dimensions,
      network: (context, inputs) => towerVectors(context, inputs, shape),
    },
    options,
  );
  return {
    release: rows.release,
    encode({ indexes, bag }, out) {
      return rows.encode(
        indexes.length,
        (inputs, from, to) => {
          const bags = shape.history ? Array.from({ length: to - from }, (_, k) => bag(from + k)) : undefined;
          writeTowerInputs(source, towerBatch(source, { indexes: indexes.subarray(from, to), bags }), inputs);
        },
        out,
      );
    },
  };
}

/** A user is asked by features and items seen in training; a history given with the question stands for the latter. */
export function questionsOf(
  queries: readonly Query[],
  { seen, knownItems, params }: { seen: Csr; knownItems: Uint8Array; params: Pick<TwoTowerParams, "historyExponent"> },
): TowerQuestions {
  return {
    indexes: Int32Array.from(queries, ({ userIndex = -1 }) => userIndex),
    bag(k) {
      const { indices, weights } = historyRow(queries[k], seen);
      return bagOf(
        indices.filter((item, e) => weights[e] > 0 && knownItems[item] === 1),
        params,
      );
    },
  };
}

export const bagOf = (items: Int32Array, { historyExponent }: Pick<TwoTowerParams, "historyExponent">): ItemBag => ({
  items,
  weight: items.length > 0 ? items.length ** -historyExponent : 0,
});
