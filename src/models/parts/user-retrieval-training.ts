/**
 * Trains item embeddings, of which a query is the mean, against user embeddings: in-batch softmax over the users of a batch.
 *   loss = Σ_b −log( exp(q_b · u_b) / Σ_v n_v exp(q_b · u_v) ), n_v = how often user v stands in the batch
 * which is the softmax over all places of the batch, at the cost of its distinct users. A user's examples are a fixed pool: for each item
 * of theirs `samplesPerItem` draws of `historyItems` items with replacement. Called by user-retrieval.
 */
import type { Csr } from "../../core/interactions.js";
import type { FitContext } from "../../core/model.js";
import { createRandom, type Random, stepSeed } from "../../core/random.js";
import { createTopKIndex } from "../../kernels/top-k.js";
import type { LayerContext } from "../../nn/layers.js";
import { createMaskPool } from "../../nn/masks.js";
import { fullSoftmaxLoss } from "../../nn/ops/losses.js";
import { createParameters } from "../../nn/parameters.js";
import { createSparseTable, type SparseTable } from "../../nn/sparse-table.js";
import type { Bags } from "../../nn/table-rows.js";
import { createGraph, filled, input } from "../../nn/tensor.js";
import { trainNetwork } from "../../nn/train.js";
import { createTrainingStep, type TrainingStep } from "../../nn/training-step.js";
import { positivePairs } from "./positive-pairs.js";
import type { UserRetrievalParams } from "./user-retrieval-params.js";

/** Distinct users of a batch are padded to a multiple of this, so that few graphs are compiled. */
const WIDTH_STEP = 256;
/** Takes a place out of the softmax. */
const NEVER = -1e9;
/** Lengths at which training says how often the own user is among the nearest, and the examples that it looks at. */
const [FIGURES, FIGURE_EXAMPLES] = [[1, 5, 10, 50, 100], 8192];

/** What is kept of a training. */
export interface TrainedUserRetrieval {
  /** numItems × dimensions; 0 for items without events. */
  itemVectors: Float32Array;
  /** numUsers × dimensions. */
  userVectors: Float32Array;
  losses: readonly number[];
  figures: Readonly<Record<string, number>>;
}

export async function fitUserRetrieval(seen: Csr, params: UserRetrievalParams, context: FitContext): Promise<TrainedUserRetrieval> {
  const { dimensions, epochs, stepsPerEpoch } = params;
  const pairs = positivePairs(seen);
  const random = createRandom(context.seed);
  const saved = context.checkpoint?.resumeFrom?.state.arrays;
  const table = (name: string, numRows: number) =>
    createSparseTable({ name, numRows, dimensions, deviation: params.initScale / Math.sqrt(dimensions), random, saved });
  const [items, users] = [table("item_vectors", seen.numColumns), table("user_vectors", seen.numRows)];
  const pool = examplePool(pairs, params, context.seed);
  const batch = Math.max(1, Math.min(params.batchSize, pool.size));
  const steps = new Map<number, Promise<TrainingStep>>();
  const stepOf = (width: number) => {
    if (!steps.has(width)) steps.set(width, compileStep({ batch, width, dimensions }, context));
    return steps.get(width)!;
  };
  const parameters = createParameters(random);
  try {
    const { losses } = await trainNetwork<Int32Array>(
      {
        stage: "user-retrieval",
        network: { parameters, tables: [items, users] },
        epochs: pool.size > 0 ? epochs : 0,
        optimizer: { name: "adagrad" },
        schedule: { rate: params.learningRate },
        stepsPerEpoch,
        *batches(drawn) {
          for (let s = 0; s < stepsPerEpoch; s++) yield Int32Array.from({ length: batch }, () => drawn.integer(pool.size));
        },
        step: (examples, drawn) => runStep({ examples, random: drawn }, { pool, items, users, stepOf }),
      },
      context,
    );
    forgetUnseen(pairs, { items, users });
    const trained = { itemVectors: items.values, userVectors: users.values };
    return { ...trained, losses, figures: await nearestFigures(trained, pool, { dimensions, ...context }) };
  } finally {
    for (const step of steps.values()) await step.then((compiled) => compiled.release());
  }
}

/** The mean of the vectors of some items; zeros without items. */
export function meanOfItems(itemVectors: Float32Array, items: ArrayLike<number>, dimensions: number): Float32Array {
  const mean = new Float32Array(dimensions);
  for (let k = 0; k < items.length; k++)
    for (let d = 0; d < dimensions; d++) mean[d] += itemVectors[items[k] * dimensions + d] / items.length;
  return mean;
}

interface ExamplePool {
  size: number;
  userOf(example: number): number;
  /** Items of each example; the same at every call. */
  bagsOf(examples: Int32Array): Bags;
}

/** Nothing is kept of the pool: an example's items follow from the seed and its number. */
function examplePool({ numRows, offsets, indices }: Csr, { historyItems, samplesPerItem }: UserRetrievalParams, seed: number): ExamplePool {
  const users = new Int32Array(indices.length);
  for (let user = 0; user < numRows; user++) users.fill(user, offsets[user], offsets[user + 1]);
  const userOf = (example: number) => users[example % users.length];
  return {
    size: indices.length * samplesPerItem,
    userOf,
    bagsOf(examples) {
      const rows = new Int32Array(examples.length * historyItems);
      examples.forEach((example, b) => {
        const user = userOf(example);
        const random = createRandom(stepSeed(seed, example));
        for (let k = 0; k < historyItems; k++)
          rows[b * historyItems + k] = indices[offsets[user] + random.integer(offsets[user + 1] - offsets[user])];
      });
      const bagOffsets = Int32Array.from({ length: examples.length + 1 }, (_, b) => b * historyItems);
      return { offsets: bagOffsets, rows, weights: new Float32Array(rows.length).fill(1 / historyItems) };
    },
  };
}

interface Sides {
  pool: ExamplePool;
  items: SparseTable;
  users: SparseTable;
  stepOf: (width: number) => Promise<TrainingStep>;
}

async function runStep(
  { examples, random }: { examples: Int32Array; random: Random },
  { pool, items, users, stepOf }: Sides,
): Promise<{ loss: number; examples: number; gradients: Record<string, never> }> {
  const { dimensions, numRows } = users;
  const own = examples.map(pool.userOf);
  const counts = new Map<number, number>();
  for (const user of own) counts.set(user, (counts.get(user) ?? 0) + 1);
  const width = Math.min(numRows, Math.ceil(counts.size / WIDTH_STEP) * WIDTH_STEP);
  const distinct = new Int32Array(width).fill(-1);
  const bias = new Float32Array(width).fill(NEVER);
  const place = new Map([...counts].map(([user, count], k) => [user, { k, count }]));
  for (const [user, { k, count }] of place) {
    distinct[k] = user;
    bias[k] = Math.log(count);
  }
  const bags = pool.bagsOf(examples);
  const rows = (count: number) => new Float32Array(count * dimensions);
  const [hidden, candidates, targets] = [rows(examples.length), rows(width), rows(examples.length)];
  items.gatherBags(bags, hidden);
  users.gather(distinct, candidates);
  users.gather(own, targets);
  const target = BigInt64Array.from(own, (user) => BigInt(place.get(user)!.k));
  const step = await stepOf(width);
  const loss = await step.run({ hidden, candidates, targets, target, bias }, random);
  items.addBagGradients(bags, step.gradient("hidden"));
  users.addGradients(distinct, step.gradient("candidates"));
  users.addGradients(own, step.gradient("targets"));
  return { loss: loss / examples.length, examples: examples.length, gradients: {} };
}

/** The sum over the batch, as Adagrad starts from a fixed sum of squares. */
function compileStep(
  { batch, width, dimensions }: { batch: number; width: number; dimensions: number },
  { threads, device }: FitContext,
): Promise<TrainingStep> {
  const graph = createGraph();
  const context: LayerContext = { graph, parameters: createParameters(createRandom(0)), masks: [], dropout: 0 };
  const [hidden, candidates, targets] = [batch, width, batch].map((count, k) =>
    input(graph, ["hidden", "candidates", "targets"][k], [count, dimensions]),
  );
  const [target, bias] = [input(graph, "target", [batch, 1], "int64"), input(graph, "bias", [width])];
  const weight = filled(graph, 1, [batch, 1]);
  const loss = fullSoftmaxLoss({ hidden, items: candidates, targetRows: targets, target, weight, bias });
  return createTrainingStep({
    context,
    loss,
    rows: ["hidden", "candidates", "targets"],
    masks: createMaskPool(0, 1, createRandom(0)),
    threads,
    device,
  });
}

/** What training never met has no vector. */
function forgetUnseen({ numRows, numColumns, offsets, indices }: Csr, { items, users }: Pick<Sides, "items" | "users">): void {
  const known = new Uint8Array(numColumns);
  for (const item of indices) known[item] = 1;
  for (let item = 0; item < numColumns; item++)
    if (!known[item]) items.values.fill(0, item * items.dimensions, (item + 1) * items.dimensions);
  for (let user = 0; user < numRows; user++)
    if (offsets[user] === offsets[user + 1]) users.values.fill(0, user * users.dimensions, (user + 1) * users.dimensions);
}

/** How often the own user of an example is among the k nearest of all: TensorFlow Recommenders' FactorizedTopK, on drawn examples. */
async function nearestFigures(
  { itemVectors, userVectors }: Pick<TrainedUserRetrieval, "itemVectors" | "userVectors">,
  pool: ExamplePool,
  { dimensions, threads, seed, signal }: { dimensions: number } & FitContext,
): Promise<Record<string, number>> {
  if (pool.size === 0) return {};
  const random = createRandom(seed + 1);
  const examples = Int32Array.from({ length: FIGURE_EXAMPLES }, () => random.integer(pool.size));
  const { offsets, rows } = pool.bagsOf(examples);
  const queries = new Float32Array(examples.length * dimensions);
  for (let b = 0; b < examples.length; b++)
    queries.set(meanOfItems(itemVectors, rows.subarray(offsets[b], offsets[b + 1]), dimensions), b * dimensions);
  const numUsers = userVectors.length / dimensions;
  const topK = Math.min(numUsers, FIGURES.at(-1)!);
  const index = await createTopKIndex(userVectors, { numItems: numUsers, dimensions, threads });
  try {
    const { itemIndex } = await index.search(queries, { topK, signal });
    const places = Array.from(examples, (example, b) => itemIndex.subarray(b * topK, (b + 1) * topK).indexOf(pool.userOf(example)));
    return Object.fromEntries(
      FIGURES.map((k) => [`own user in first ${k}`, places.filter((place) => place >= 0 && place < k).length / places.length]),
    );
  } finally {
    index.dispose();
  }
}
