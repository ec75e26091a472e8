/**
 * The fitted form of ultragcn: score = e_u · e_i; a user given by a history is folded in by Newton's method (ultra-gcn-graph.ts).
 * Called by models/ultragcn.ts.
 */
import { z } from "zod";
import type { Csr } from "../../core/interactions.js";
import type { FittedModel, HistoryEvent, ModelState } from "../../core/model.js";
import type { UltraGcnFactors, UltraGcnWeights } from "../../kernels/ultra-gcn.js";
import { savedFloat32 } from "./saved-arrays.js";
import { type Weighting, weightingOf } from "./similarity.js";
import { foldInGraphUser } from "./ultra-gcn-graph.js";
import { rowOfEvents } from "./user-history.js";

/** What the fitted form reads of the parameters. */
export interface UltraGcnModelParams extends Record<string, unknown> {
  factors: number;
  degreeWeight: number;
  negativeWeight: number;
  weighting: Weighting;
  regularization: number;
}

/** Beside the arrays: losses, and what v is divided by. */
export const savedSchema = z.strictObject({ losses: z.array(z.number()), meanValue: z.number().positive() });

/** Share of negativeWeight that falls on every drawn item alike. */
const negativeBase = 0.3;

export function weightsOf({ degreeWeight, negativeWeight }: UltraGcnModelParams): UltraGcnWeights {
  return { positive: [1, degreeWeight], negative: [negativeBase * negativeWeight, degreeWeight * negativeWeight] };
}

export interface Size {
  numUsers: number;
  numItems: number;
  factors: number;
}

/** Throws ModelFormatError. */
export function learnedOf(state: ModelState, { numUsers, numItems, factors }: Size): UltraGcnFactors {
  return {
    userFactors: savedFloat32(state, "user_factors", [numUsers, factors]),
    itemFactors: savedFloat32(state, "item_factors", [numItems, factors]),
    userSquares: savedFloat32(state, "user_squares", [numUsers]),
    itemSquares: savedFloat32(state, "item_squares", [numItems]),
  };
}

export interface UltraGcnParts {
  learned: UltraGcnFactors;
  links: Csr;
  losses: readonly number[];
  /** What v is divided by. */
  meanValue: number;
  itemDegrees: Int32Array;
}

export function ultraGcnModel(params: UltraGcnModelParams, { learned, links, losses, meanValue, itemDegrees }: UltraGcnParts): FittedModel {
  const { factors, regularization } = params;
  const { userFactors, itemFactors, userSquares, itemSquares } = learned;
  const [numUsers, numItems] = [userSquares.length, itemSquares.length];
  const graph = { links, itemDegrees, weights: weightsOf(params), regularization };
  const weigh = weightingOf(params.weighting);
  const asked = (history: readonly HistoryEvent[]) => {
    const { indices, weights } = rowOfEvents(history.filter(({ weight = 1 }) => weight > 0));
    return { indices, values: Float64Array.from(weights, (weight) => weigh(weight) / meanValue) };
  };
  return {
    name: "ultragcn",
    params,
    numUsers,
    numItems,
    personal: true,
    losses,
    vectors: {
      dimensions: factors,
      itemVectors: itemFactors,
      async encode(queries, out) {
        queries.forEach(({ userIndex = -1, history }, q) => {
          const at = q * factors;
          if (history?.length) out.set(foldInGraphUser(asked(history), itemFactors, graph), at);
          else if (userIndex >= 0) out.set(userFactors.subarray(userIndex * factors, (userIndex + 1) * factors), at);
          else out.fill(0, at, at + factors);
        });
      },
    },
    itemSimilarityVectors: { dimensions: factors, vectors: itemFactors },
    userSimilarityVectors: { dimensions: factors, vectors: userFactors },
    state: () => ({
      arrays: {
        user_factors: { shape: [numUsers, factors], data: userFactors },
        item_factors: { shape: [numItems, factors], data: itemFactors },
        user_squares: { shape: [numUsers], data: userSquares },
        item_squares: { shape: [numItems], data: itemSquares },
        item_degrees: { shape: [numItems], data: itemDegrees },
        neighbour_offsets: { shape: [numItems + 1], data: links.offsets },
        neighbour_items: { shape: [links.indices.length], data: links.indices },
        neighbour_weights: { shape: [links.values.length], data: links.values },
      },
      extra: { losses, meanValue },
    }),
  };
}
