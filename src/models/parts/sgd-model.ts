/**
 * What bpr, warp and logistic-mf share: fit, warm start, restore and the fitted model. score(u, i) = x_u · y_i + b_i (+ b_u).
 * Users without events and items without events get zero factors; such items the lowest bias of all.
 * Unseen users: the steps of training on their history with the items fixed (kernels/ranking-sgd-fold-in.ts).
 */
import { z } from "zod";
import type { Csr, Interactions } from "../../core/interactions.js";
import type { FitContext, FittedModel, Query, SavedModel } from "../../core/model.js";
import { parseParams } from "../../core/params.js";
import { stepSeed } from "../../core/random.js";
import { createRankingSgdFoldIn, type RankingSgdFoldIn } from "../../kernels/ranking-sgd-fold-in.js";
import { rowLength, valueLength } from "../../kernels/ranking-sgd-layout.js";
import { savedFloat32 } from "./saved-arrays.js";
import { learningRateOf, runEpochs, type SgdPlan, type SgdRows } from "./sgd-fit.js";
import { factorsOf, initialRows, type VectorShape, valuesOfItems, vectorLength, vectorsOfRows, writeVectors } from "./sgd-rows.js";

type Params = Readonly<Record<string, unknown>>;

interface Vectors {
  userVectors: Float32Array;
  itemVectors: Float32Array;
}

interface Parts extends Vectors {
  plan: SgdPlan;
  params: Params;
  seed: number;
  losses: readonly number[];
  /** User × item matrix of training. */
  seen: Csr;
}

const savedSchema = z.strictObject({ losses: z.array(z.number()), seed: z.number() });

/** Passes over a history, and the steps from which on there are fewer. */
const foldInPasses = 40;
const foldInEvents = 20_000;

const shapeOf = ({ factors, loss }: SgdPlan): VectorShape => ({ factors, userBias: loss === "logistic" });

export function fitSgd(train: Interactions, plan: SgdPlan, params: Params, context: FitContext): Promise<FittedModel> {
  return run(train, plan, params, context, { start: startRows(train, plan, context.seed), after: 0 });
}

export const warmStart =
  "Known users and items go on from where they are, new users from their fold-in and new items at random, and all events are passed over in the last quarter of the epochs with their learning rates.";

/** See `warmStart`. What the optimizer keeps starts anew. */
export async function refitSgd(previous: FittedModel, train: Interactions, plan: SgdPlan, context: FitContext): Promise<FittedModel> {
  const start = startRows(train, plan, context.seed);
  const shape = { ...shapeOf(plan), optimizer: plan.optimizer };
  const { arrays } = previous.state();
  const old = arrays.user_vectors.data as Float32Array;
  const userVectors = new Float32Array(train.numUsers * vectorLength(shape));
  userVectors.set(old);
  const newcomers = Array.from({ length: train.numUsers - previous.numUsers }, (_, k) =>
    historyOf(previous.numUsers + k, train, previous.numItems),
  );
  await previous.vectors!.encode(newcomers, userVectors.subarray(old.length));
  writeVectors(start.userRows, userVectors, "user", shape);
  writeVectors(start.itemRows, arrays.item_vectors.data as Float32Array, "item", shape);
  return run(train, plan, previous.params, context, { start, after: plan.epochs - Math.ceil(plan.epochs / 4) });
}

/** A user's events with the first `numItems` items. */
function historyOf(user: number, train: Interactions, numItems: number): Query {
  const { offsets, indices } = train.eventsByUser();
  const items = indices.subarray(offsets[user], offsets[user + 1]).filter((item) => item < numItems);
  return { history: Array.from(items, (itemIndex) => ({ itemIndex })) };
}

export function restoreSgd({ numUsers, numItems, state, seen }: SavedModel<Params>, plan: SgdPlan, params: Params): FittedModel {
  const { losses, seed } = parseParams(savedSchema, state.extra, `Saved model ${plan.name}`);
  const dimensions = vectorLength(shapeOf(plan));
  const userVectors = savedFloat32(state, "user_vectors", [numUsers, dimensions]);
  const itemVectors = savedFloat32(state, "item_vectors", [numItems, dimensions]);
  return sgdModel({ plan, params, seed, losses, seen, userVectors, itemVectors });
}

function startRows({ numUsers, numItems }: Interactions, plan: SgdPlan, seed: number): SgdRows {
  return {
    userRows: initialRows(numUsers, { ...plan, seed: stepSeed(seed, -2) }),
    itemRows: initialRows(numItems, { ...plan, seed: stepSeed(seed, -3) }),
  };
}

function run(train: Interactions, plan: SgdPlan, params: Params, context: FitContext, from: { start: SgdRows; after: number }) {
  const seen = train.matrixByUser();
  const model = (rows: SgdRows, losses: readonly number[]) =>
    sgdModel({ plan, params, seed: context.seed, losses, seen, ...vectorsOf(rows, train, plan) });
  return runEpochs(train, plan, { ...from, model }, context);
}

function vectorsOf({ userRows, itemRows }: SgdRows, train: Interactions, plan: SgdPlan): Vectors {
  const [length, shape] = [rowLength(plan.factors, plan.optimizer), shapeOf(plan)];
  const userVectors = vectorsOfRows(userRows, "user", length, shape);
  const itemVectors = vectorsOfRows(itemRows, "item", length, shape);
  const [dimensions, { factors }] = [vectorLength(shape), plan];
  const { offsets } = train.matrixByUser();
  const hasEvents = new Uint8Array(train.numItems);
  for (const item of train.matrixByUser().indices) hasEvents[item] = 1;
  for (let user = 0; user < train.numUsers; user++)
    if (offsets[user] === offsets[user + 1]) userVectors.fill(0, user * dimensions, user * dimensions + factors);
  let lowest = Infinity;
  for (let item = 0; item < train.numItems; item++)
    if (hasEvents[item]) lowest = Math.min(lowest, itemVectors[item * dimensions + factors]);
  for (let item = 0; item < train.numItems; item++) {
    if (hasEvents[item]) continue;
    itemVectors.fill(0, item * dimensions, item * dimensions + factors);
    itemVectors[item * dimensions + factors] = Math.min(0, lowest);
  }
  return { userVectors, itemVectors };
}

function sgdModel({ plan, params, seed, losses, seen, userVectors, itemVectors }: Parts): FittedModel {
  const shape = shapeOf(plan);
  const dimensions = vectorLength(shape);
  const { numRows: numUsers, numColumns: numItems } = seen;
  let foldIn: Promise<RankingSgdFoldIn> | undefined;
  let similarity: { user: Float32Array; item: Float32Array } | undefined;
  const factorsAlone = () => {
    similarity ??= { user: factorsOf(userVectors, shape), item: factorsOf(itemVectors, shape) };
    return similarity;
  };
  return {
    name: plan.name,
    params,
    numUsers,
    numItems,
    personal: true,
    losses,
    vectors: {
      dimensions,
      itemVectors,
      async encode(queries, out) {
        const folded: number[] = [];
        queries.forEach(({ userIndex = -1, history }, q) => {
          const at = q * dimensions;
          if (history?.length) folded.push(q);
          else if (userIndex >= 0) out.set(userVectors.subarray(userIndex * dimensions, (userIndex + 1) * dimensions), at);
          else out.fill(0, at, at + dimensions).fill(1, at + plan.factors, at + plan.factors + 1);
        });
        if (folded.length === 0) return;
        foldIn ??= createFoldIn({ plan, seed, seen, itemVectors });
        const rows = await (await foldIn).encode(folded.map((q) => itemsOf(queries[q], plan)));
        const vectors = vectorsOfRows(rows, "user", valueLength(plan.factors), shape);
        folded.forEach((q, f) => {
          out.set(vectors.subarray(f * dimensions, (f + 1) * dimensions), q * dimensions);
        });
      },
    },
    get itemSimilarityVectors() {
      return { dimensions: plan.factors, vectors: factorsAlone().item };
    },
    get userSimilarityVectors() {
      return { dimensions: plan.factors, vectors: factorsAlone().user };
    },
    state: () => ({
      arrays: {
        user_vectors: { shape: [numUsers, dimensions], data: userVectors },
        item_vectors: { shape: [numItems, dimensions], data: itemVectors },
      },
      extra: { losses, seed },
    }),
  };
}

function itemsOf({ history }: Query, { positives }: SgdPlan): ArrayLike<number> {
  const items = history!.map(({ itemIndex }) => itemIndex);
  return positives === "pairs" ? [...new Set(items)] : items;
}

function createFoldIn({ plan, seed, seen, itemVectors }: Pick<Parts, "plan" | "seed" | "seen" | "itemVectors">) {
  const rates = Array.from({ length: foldInPasses }, (_, pass) => learningRateOf({ ...plan, epochs: foldInPasses }, pass + 1));
  const pool =
    plan.negatives === "popularity"
      ? everyNth(seen.indices, foldInEvents * 10)
      : Int32Array.from({ length: seen.numColumns }, (_, item) => item);
  const itemValues = valuesOfItems(itemVectors, shapeOf(plan));
  return createRankingSgdFoldIn({ ...plan, itemValues, numItems: seen.numColumns, pool, rates, seed: stepSeed(seed, -4) });
}

/** At most `most` of the values, evenly spaced. */
function everyNth(values: Int32Array, most: number): Int32Array {
  const step = Math.max(1, Math.ceil(values.length / most));
  return values.filter((_, k) => k % step === 0);
}
