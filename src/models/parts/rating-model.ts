/**
 * The fitted form of the factor models of ratings: predicted rating = user vector · item vector, exactly.
 *   item: [q_i, b_i, 1];  user: [scale·(p_u + s_u), scale, mean + scale·b_u],  s_u = #u^(−½) Σ_j y_j (svd++ only)
 * A user given by a history is folded in: s from the items, then p and b by ridge regression. Called by svd.ts and svd-plus-plus.ts.
 */
import { z } from "zod";
import type { Csr } from "../../core/interactions.js";
import type { FittedModel, HistoryEvent, Query, SavedModel } from "../../core/model.js";
import { parseParams } from "../../core/params.js";
import type { RatingFactors } from "../../kernels/rating-sgd.js";
import { type FoldInTerms, factorArrays, factorsOf, foldInRater, implicitSum, type RatingScale } from "./rating-factors.js";

export interface RatingModelParams extends Record<string, unknown> {
  factors: number;
  regularization: number;
  regularizationExponent: number;
}

/** What is kept of a fit beside its parameters. */
export interface RatingResult {
  ratings: RatingScale;
  /** Root mean squared error over the training events after (als) or during (sgd) each step, in the unit of the ratings. */
  losses: readonly number[];
  factors: RatingFactors;
}

interface Made {
  name: string;
  params: RatingModelParams;
  numUsers: number;
  numItems: number;
  /** User × item matrix of training. */
  seen: Csr;
}

export function ratingModel(
  { name, params, numUsers, numItems, seen }: Made,
  { ratings, losses, factors: learned }: RatingResult,
): FittedModel {
  const { factors } = params;
  const { userFactors, itemFactors, userBias, itemBias, implicitFactors } = learned;
  const { mean, scale } = ratings;
  const dimensions = factors + 2;
  const terms: FoldInTerms = { ...params, ratings };
  const sum = new Float64Array(factors);

  const knownUser = (user: number) => {
    if (implicitFactors) implicitSum(implicitFactors, seen.indices.subarray(seen.offsets[user], seen.offsets[user + 1]), sum);
    const vector = sum.map((value, d) => value + userFactors[user * factors + d]);
    return { vector, bias: userBias[user] };
  };
  const foldedIn = (history: readonly HistoryEvent[]) => {
    if (implicitFactors) implicitSum(implicitFactors, [...new Set(history.map(({ itemIndex }) => itemIndex))], sum);
    return foldInRater(history, learned, terms, sum);
  };
  const asker = ({ userIndex = -1, history }: Query) => {
    if (history?.length) return foldedIn(history);
    return userIndex >= 0 ? knownUser(userIndex) : { vector: new Float64Array(factors), bias: 0 };
  };

  let itemVectors: Float32Array | undefined;
  let userVectors: Float32Array | undefined;
  return {
    name,
    params,
    numUsers,
    numItems,
    personal: true,
    losses,
    vectors: {
      dimensions,
      get itemVectors() {
        itemVectors ??= withBias(itemFactors, itemBias, factors);
        return itemVectors;
      },
      async encode(queries, out) {
        queries.forEach((query, q) => {
          const { vector, bias } = asker(query);
          out.set(
            vector.map((value) => scale * value),
            q * dimensions,
          );
          out[q * dimensions + factors] = scale;
          out[q * dimensions + factors + 1] = mean + scale * bias;
        });
      },
    },
    itemSimilarityVectors: { dimensions: factors, vectors: itemFactors },
    get userSimilarityVectors() {
      if (implicitFactors && !userVectors) {
        userVectors = new Float32Array(numUsers * factors);
        for (let user = 0; user < numUsers; user++) userVectors.set(knownUser(user).vector, user * factors);
      }
      return { dimensions: factors, vectors: userVectors ?? userFactors };
    },
    state: () => ({ arrays: factorArrays(learned, { numUsers, numItems, factors }), extra: { ...ratings, losses } }),
  };
}

/** [q_i, b_i, 1] for each item. */
function withBias(itemFactors: Float32Array, itemBias: Float32Array, factors: number): Float32Array {
  const out = new Float32Array(itemBias.length * (factors + 2));
  itemBias.forEach((bias, item) => {
    const at = item * (factors + 2);
    out.set(itemFactors.subarray(item * factors, (item + 1) * factors), at);
    out[at + factors] = bias;
    out[at + factors + 1] = 1;
  });
  return out;
}

const savedSchema = z.strictObject({
  mean: z.number(),
  scale: z.number().positive(),
  lowest: z.number(),
  highest: z.number(),
  losses: z.array(z.number()),
});

/** The inverse of `state`, also of a checkpoint's. Throws ModelFormatError. */
export function restoredRating(
  name: string,
  saved: Omit<SavedModel<RatingModelParams>, "seen" | "restoreModel">,
  implicit: boolean,
): RatingResult {
  const { losses, ...ratings } = parseParams(savedSchema, saved.state.extra, `Saved model ${name}`);
  return { ratings, losses, factors: factorsOf(saved.state, { ...saved, factors: saved.params.factors }, implicit) };
}
