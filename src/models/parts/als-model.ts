/**
 * A fitted als: user and item vectors whose dot product is the score, fold-in of histories (the exact row against fixed items),
 * explanations, saved arrays. Called by als.ts (restore), als-fit.ts and als-refit.ts.
 */
import type { Csr } from "../../core/interactions.js";
import type { FittedModel, HistoryEvent, Query } from "../../core/model.js";
import { type AlsFoldIn, createAlsFoldIn } from "../../kernels/als.js";
import { explainAls } from "./als-explain.js";
import { foldInRow, historyRow, type PairRule } from "./als-objective.js";
import type { AlsParams } from "./als-params.js";

export interface AlsModelParts {
  params: AlsParams;
  rule: PairRule;
  /** λ, also where the parameter says auto. */
  regularization: number;
  losses: readonly number[];
  /** User × item matrix of training. */
  seen: Csr;
  userFactors: Float32Array;
  itemFactors: Float32Array;
  /** What the features of each user say, where users have features. */
  userPriors: Float32Array | undefined;
  /** Whether items without events have vectors, by their features. */
  itemFeatures: boolean;
}

/** What als-refit.ts needs of an earlier model. */
export interface AlsFittedModel extends FittedModel {
  readonly parts: AlsModelParts;
}

export function alsModel(parts: AlsModelParts): AlsFittedModel {
  const { params, rule, regularization, losses, seen, userFactors, itemFactors, userPriors, itemFeatures } = parts;
  const { factors } = params;
  const [numUsers, numItems] = [seen.numRows, seen.numColumns];
  const userRow = (rows: Float32Array, user: number) => rows.subarray(user * factors, (user + 1) * factors);
  const coldItems = itemFeatures ? itemsWithoutEvents(seen) : undefined;
  let made: Promise<AlsFoldIn> | undefined;
  const foldIn = () => {
    made ??= createAlsFoldIn({ ...params, regularization: regularization / rule.valueUnit, itemFactors, numItems, coldItems });
    return made;
  };
  const foldedRow = ({ userIndex = -1, history }: { userIndex?: number; history: readonly HistoryEvent[] }) => ({
    ...foldInRow(historyRow(history), rule),
    prior: userPriors && userIndex >= 0 ? userRow(userPriors, userIndex) : undefined,
  });

  async function encode(queries: readonly Query[], out: Float32Array): Promise<void> {
    const folded: number[] = [];
    queries.forEach(({ userIndex = -1, history }, q) => {
      if (history?.length) folded.push(q);
      else if (userIndex >= 0) out.set(userRow(userFactors, userIndex), q * factors);
      else out.fill(0, q * factors, (q + 1) * factors);
    });
    if (folded.length === 0) return;
    const vectors = new Float32Array(folded.length * factors);
    const rows = folded.map((q) => foldedRow({ ...queries[q], history: queries[q].history! }));
    await (await foldIn()).encode(rows, vectors);
    if (rule.valueUnit !== 1) for (let k = 0; k < vectors.length; k++) vectors[k] *= rule.valueUnit;
    folded.forEach((q, f) => {
      out.set(userRow(vectors, f), q * factors);
    });
  }

  return {
    name: "als",
    params,
    numUsers,
    numItems,
    personal: true,
    losses,
    parts,
    vectors: { dimensions: factors, itemVectors: itemFactors, encode },
    itemSimilarityVectors: { dimensions: factors, vectors: itemFactors },
    userSimilarityVectors: { dimensions: factors, vectors: userFactors },
    knowsUser: userPriors && ((user) => userRow(userFactors, user).some((value) => value !== 0)),
    knowsItem: itemFeatures ? (item) => userRow(itemFactors, item).some((value) => value !== 0) : undefined,
    explain: (query, itemIndex) => explainAls(parts, { query, itemIndex, encode, gram: async () => (await foldIn()).gram() }),
    state: () => ({
      arrays: {
        user_factors: { shape: [numUsers, factors], data: userFactors },
        item_factors: { shape: [numItems, factors], data: itemFactors },
        ...(userPriors && { user_priors: { shape: [numUsers, factors], data: userPriors } }),
      },
      extra: { losses, regularization, userFeatures: userPriors !== undefined, itemFeatures },
    }),
  };
}

function itemsWithoutEvents({ numColumns, indices }: Csr): Int32Array {
  const hasEvents = new Uint8Array(numColumns);
  for (const item of indices) hasEvents[item] = 1;
  return Int32Array.from(hasEvents.keys()).filter((item) => hasEvents[item] === 0);
}
