/**
 * Trains a network over pairs: on ratings by squared error (standardised, so that one learning rate fits any scale), or on events as
 * clicks by binary cross-entropy against sampled items.
 *   loss = mean over pairs of (r − s)²  or  softplus(s) − y·s,  + regularization · ‖embeddings of the pair‖²
 * Embeddings are thus penalised as often as they occur. Called by pair-model.ts.
 */
import type { Interactions } from "../../core/interactions.js";
import type { FitContext } from "../../core/model.js";
import { createRandom, type Random } from "../../core/random.js";
import { createMaskPool } from "../../nn/masks.js";
import { add, multiply } from "../../nn/ops/elementwise.js";
import { binaryCrossEntropy, squaredError } from "../../nn/ops/losses.js";
import { sum } from "../../nn/ops/reduce.js";
import { input, type Tensor } from "../../nn/tensor.js";
import { type TrainingResult, trainNetwork } from "../../nn/train.js";
import { createTrainingStep, type Piece, piecesOf } from "../../nn/training-step.js";
import { addFeatureGradients } from "./feature-batch.js";
import { createPairScorer, fillPairs, type PairParts, type PairScorer, pairContext, pairFeeds, pairGraph } from "./pair-network.js";

export interface PairTrainingParams {
  target: "click" | "rating";
  negatives: number;
  dropout: number;
  regularization: number;
  unknownShare: number;
  epochs: number;
  batchSize: number;
  learningRate: number;
  patience: number;
  validationShare: number;
}

/** Pairs with what their score should be: a standardised rating, or 1 and 0. */
export interface Pairs {
  user: Int32Array;
  item: Int32Array;
  target: Float32Array;
  own?: readonly (readonly Int32Array[])[];
}

/** Steps per epoch that small data is cut into. */
const STEPS = 30;
const LEAST_BATCH = 32;

/** `standardise`: rating → target. Trains `parts` in place. */
export async function trainPairs(
  { name, parts, train, standardise }: { name: string; parts: PairParts; train: Interactions; standardise: (rating: number) => number },
  params: PairTrainingParams,
  context: FitContext,
): Promise<TrainingResult> {
  const { seed, threads, device } = context;
  const { held, kept } = heldOut(train, params.validationShare, seed);
  const click = params.target === "click";
  const { texts } = parts;
  const sample = negativesOf(train, params.negatives);
  const pairsOf = (events: Int32Array, random: Random): Pairs => {
    const user = events.map((event) => train.userIndex[event]);
    const item = events.map((event) => train.itemIndex[event]);
    if (click) return sample({ user, item }, random);
    const target = Float32Array.from(events, (event) => standardise(train.weight[event]));
    return { user, item, target, ...(texts?.whose === "own" ? { own: Array.from(events, (event) => texts.rowsOfEvent(event)) } : {}) };
  };
  const perEvent = click ? 1 + params.negatives : 1;
  const numPairs = kept.length * perEvent;
  const eventsPerBatch = Math.max(1, Math.floor(Math.min(params.batchSize, Math.max(LEAST_BATCH, numPairs / STEPS)) / perEvent));
  const n = eventsPerBatch * perEvent;

  const layers = pairContext(parts, params.dropout);
  const lossOf = ({ rows, of }: Piece): Tensor => {
    const { inputs, score } = pairGraph(parts, rows, layers, of);
    const [target, weight] = [input(layers.graph, of("target"), [rows, 1]), input(layers.graph, of("weight"), [rows, 1])];
    const error = click ? binaryCrossEntropy(score, target, weight) : squaredError(score, target, weight);
    if (params.regularization === 0) return error;
    const squares = sum(multiply(inputs.embedded, inputs.embedded), [1], { keep: true });
    return add(error, multiply(sum(multiply(squares, weight)), params.regularization));
  };
  const loss = piecesOf(n)
    .map(lossOf)
    .reduce((total, part) => add(total, part));
  const masks = createMaskPool(params.dropout, Math.max(1, ...layers.masks.map(({ size }) => size)), createRandom(seed + 1));
  const { user: userTable, item: itemTable, text: textTable } = parts.tables;
  const rows = ["users", "items", ...(textTable ? ["texts"] : [])];
  const step = await createTrainingStep({ context: layers, loss, rows, masks, threads, device });
  const feeds = { ...pairFeeds(parts, n), target: new Float32Array(n), weight: new Float32Array(n) };
  const scorer = createPairScorer(parts);
  const validation = held.length > 0 ? pairsOf(held, createRandom(seed + 2)) : undefined;
  try {
    return await trainNetwork<Int32Array>(
      {
        stage: name,
        network: { parameters: parts.parameters, tables: textTable ? [userTable, itemTable, textTable] : [userTable, itemTable] },
        epochs: params.epochs,
        patience: params.patience,
        optimizer: { name: "adam" },
        schedule: { rate: params.learningRate, decay: "cosine" },
        stepsPerEpoch: Math.ceil(kept.length / eventsPerBatch),
        *batches(random) {
          const order = random.shuffle(kept.slice());
          for (let from = 0; from < order.length; from += eventsPerBatch) yield order.subarray(from, from + eventsPerBatch);
        },
        async step(events, random) {
          const pairs = pairsOf(events, random);
          const used = pairs.item.length;
          const batch = fillPairs(parts, feeds, { ...pairs, dropped: { share: params.unknownShare, random } });
          feeds.target.fill(0).set(pairs.target);
          feeds.weight.fill(1 / used).fill(0, used);
          const value = await step.run(feeds, random);
          addFeatureGradients(userTable, batch.user, step.gradient("users"));
          addFeatureGradients(itemTable, batch.item, step.gradient("items"));
          if (textTable && batch.text) addFeatureGradients(textTable, batch.text, step.gradient("texts"));
          return { loss: value, examples: used, gradients: step.parameterGradients };
        },
        validate: validation && (async () => -(await meanError(scorer, validation, click))),
      },
      context,
    );
  } finally {
    await step.release();
    await scorer.release();
  }
}

/** A seeded share of the events is held out to stop on. */
function heldOut({ numInteractions }: Interactions, share: number, seed: number): { held: Int32Array; kept: Int32Array } {
  const order = createRandom(seed).shuffle(Int32Array.from({ length: numInteractions }, (_, event) => event));
  const count = Math.min(numInteractions - 1, Math.floor(share * numInteractions));
  return { held: order.slice(0, count), kept: order.slice(count).sort() };
}

/** Each pair with target 1, followed by items that the user has not, drawn alike among those with events, with target 0. */
function negativesOf(train: Interactions, count: number): (pairs: Omit<Pairs, "target">, random: Random) => Pairs {
  const { offsets, indices } = train.matrixByUser();
  const items = [...new Set(train.itemIndex)].sort((a, b) => a - b);
  const has = (user: number, item: number): boolean => {
    if (user < 0) return false;
    let [low, high] = [offsets[user], offsets[user + 1]];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (indices[middle] < item) low = middle + 1;
      else high = middle;
    }
    return low < offsets[user + 1] && indices[low] === item;
  };
  return (pairs, random) => {
    const size = pairs.item.length * (1 + count);
    const out: Pairs = { user: new Int32Array(size), item: new Int32Array(size), target: new Float32Array(size) };
    pairs.user.forEach((user, k) => {
      const at = k * (1 + count);
      out.user.fill(user, at, at + 1 + count);
      out.item[at] = pairs.item[k];
      out.target[at] = 1;
      for (let s = 1; s <= count; s++) {
        let item = items[random.integer(items.length)];
        for (let again = 0; again < MOST_DRAWS && has(user, item); again++) item = items[random.integer(items.length)];
        out.item[at + s] = item;
      }
    });
    return out;
  };
}

/** Draws after which an item of the user's own is taken: somebody may have all. */
const MOST_DRAWS = 20;

/** Root mean squared error of standardised ratings, or mean cross-entropy. */
async function meanError(scorer: PairScorer, pairs: Pairs, click: boolean): Promise<number> {
  const { target } = pairs;
  const scores = new Float32Array(target.length);
  await scorer.score(pairs, scores);
  let total = 0;
  scores.forEach((score, k) => {
    total += click ? Math.max(score, 0) + Math.log1p(Math.exp(-Math.abs(score))) - target[k] * score : (score - target[k]) ** 2;
  });
  return click ? total / target.length : Math.sqrt(total / target.length);
}
