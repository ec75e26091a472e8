/** Trains Mult-VAE: batches of user rows, input dropout, the KL term rising from 0, stopping on held-out items. Called by mult-vae. */
import type { Csr, Interactions } from "../../core/interactions.js";
import type { FitContext } from "../../core/model.js";
import { createRandom, type Random } from "../../core/random.js";
import type { LayerContext } from "../../nn/layers.js";
import { createMaskPool } from "../../nn/masks.js";
import { createParameters, type Parameters } from "../../nn/parameters.js";
import { createSparseTable, type SparseTable } from "../../nn/sparse-table.js";
import { createGraph, input } from "../../nn/tensor.js";
import { trainNetwork } from "../../nn/train.js";
import { createTrainingStep, type TrainingStep } from "../../nn/training-step.js";
import { withBias } from "./biased-vectors.js";
import { createHeldOutJudge, holdOutItems } from "./held-out-items.js";
import { ITEM_BIAS, ITEMS, type MultVaeShape, multVaeLoss } from "./mult-vae-network.js";
import type { MultVaeParams } from "./mult-vae-params.js";
import { createMultVaeEncoder, type RowOfItems, unitWeight } from "./mult-vae-vectors.js";
import { positivePairs } from "./positive-pairs.js";

export interface TrainedMultVae {
  parameters: Parameters;
  /** First layer: numItems × hidden; 0 for items without events. */
  encoder: Float32Array;
  losses: readonly number[];
}

export async function fitMultVae(train: Interactions, params: MultVaeParams, context: FitContext): Promise<TrainedMultVae> {
  const { numItems } = train;
  const { hidden, latent } = params;
  const shape: MultVaeShape = { hidden, latent, numItems };
  const held = holdOutItems(positivePairs(train.matrixByUser()), { share: params.validationShare, seed: context.seed });
  const { offsets } = held.train;
  const users = Int32Array.from({ length: train.numUsers }, (_, user) => user).filter((user) => offsets[user + 1] > offsets[user]);
  const random = createRandom(context.seed);
  const parameters = createParameters(random);
  const saved = context.checkpoint?.resumeFrom?.state.arrays;
  if (saved) parameters.restore(saved);
  const deviation = Math.sqrt(2 / (numItems + hidden));
  const encoder = createSparseTable({ name: "encoder", numRows: numItems, dimensions: hidden, deviation, random, saved });
  const batch = Math.max(1, Math.min(params.batchSize, users.length));
  const stepsPerEpoch = Math.ceil(users.length / batch);
  const step = await compileStep({ parameters, shape, batch }, context);
  const feeds = createFeeds(held.train, { shape, batch, dropout: params.dropout });
  let numSteps = (context.checkpoint?.resumeFrom?.step ?? 0) * stepsPerEpoch;

  const rows = createMultVaeEncoder({ parameters, shape, encoder: encoder.values });
  const vectors = new Float32Array(numItems * (hidden + 1));
  const judge = await createHeldOutJudge(
    held,
    {
      dimensions: hidden + 1,
      items: vectors,
      encode: (some, out) => rows.encode(some.length, (k) => rowOf(held.train, some[k]), out),
    },
    { threads: context.threads },
  );
  const [table, bias] = [ITEMS, ITEM_BIAS].map((name) => parameters.list.find((one) => one.name === name)!.values);
  if (!saved) bias.set(logPopularity(held.train));
  const validate = async () => {
    withBias(table, bias, vectors);
    return judge.ndcg();
  };
  try {
    const { losses } = await trainNetwork<Int32Array>(
      {
        stage: "mult-vae",
        network: { parameters, tables: [encoder] },
        epochs: users.length > 0 ? params.epochs : 0,
        patience: params.patience,
        averaging: params.averaging,
        optimizer: { name: "adam", weightDecay: params.weightDecay },
        schedule: { rate: params.learningRate },
        stepsPerEpoch,
        batches: (drawn) => batchesOf(drawn.shuffle(users.slice()), batch),
        async step(some, drawn) {
          const klWeight = params.klWeight * Math.min(1, numSteps++ / (params.annealEpochs * stepsPerEpoch || 1));
          const { bags, ...inputs } = feeds.fill(some, drawn);
          encoder.gatherBags(bags, inputs.rows);
          const loss = await step.run({ ...inputs, klWeight: Float32Array.of(klWeight) }, drawn);
          encoder.addBagGradients(bags, step.gradient("rows"));
          return { loss, examples: some.length, gradients: step.parameterGradients };
        },
        validate: held.users.length > 0 ? validate : undefined,
      },
      context,
    );
    forgetUnseen(train, encoder);
    if (users.length === 0) table.fill(0); // nothing was learned: all items are equal
    return { parameters, encoder: encoder.values, losses };
  } finally {
    await step.release();
    await rows.release();
    await judge.release();
  }
}

async function compileStep(
  { parameters, shape, batch }: { parameters: Parameters; shape: MultVaeShape; batch: number },
  { threads, device }: FitContext,
): Promise<TrainingStep> {
  const graph = createGraph();
  const context: LayerContext = { graph, parameters, masks: [], dropout: 0 };
  const rows = input(graph, "rows", [batch, shape.hidden]);
  const loss = multVaeLoss(context, rows, shape);
  return createTrainingStep({ context, loss, rows: ["rows"], masks: createMaskPool(0, 1, createRandom(0)), threads, device });
}

/** Buffers of a step. Entries of a row are left out at random, the others grow, and the row's length is 1 without dropout. */
function createFeeds(pairs: Csr, { shape, batch, dropout }: { shape: MultVaeShape; batch: number; dropout: number }) {
  const { hidden, latent, numItems } = shape;
  const feeds = {
    rows: new Float32Array(batch * hidden),
    counts: new Float32Array(batch * numItems),
    noise: new Float32Array(batch * latent),
    weight: new Float32Array(batch),
  };
  return {
    fill(users: Int32Array, random: Random) {
      feeds.counts.fill(0);
      const offsets = new Int32Array(batch + 1);
      const [kept, weights]: [number[], number[]] = [[], []];
      for (let b = 0; b < batch; b++) {
        if (b < users.length) {
          const { items } = rowOf(pairs, users[b]);
          const value = unitWeight(items.length) / (1 - dropout);
          for (const item of items) {
            feeds.counts[b * numItems + item] = 1;
            if (dropout > 0 && random.uniform() < dropout) continue;
            kept.push(item);
            weights.push(value);
          }
        }
        offsets[b + 1] = kept.length;
        feeds.weight[b] = b < users.length ? 1 / users.length : 0;
      }
      for (let k = 0; k < feeds.noise.length; k++) feeds.noise[k] = random.normal();
      return { ...feeds, bags: { offsets, rows: Int32Array.from(kept), weights: Float32Array.from(weights) } };
    },
  };
}

const rowOf = ({ offsets, indices }: Csr, user: number): RowOfItems => ({ items: indices.subarray(offsets[user], offsets[user + 1]) });

function* batchesOf(users: Int32Array, batch: number): Iterable<Int32Array> {
  for (let from = 0; from < users.length; from += batch) yield users.subarray(from, from + batch);
}

/** Where item biases start, so that the network has only what differs from popularity to learn: log of (users + 1), less its mean. */
function logPopularity({ indices, numColumns }: Csr): Float32Array {
  const counts = new Float64Array(numColumns).fill(1);
  for (const item of indices) counts[item]++;
  const mean = counts.reduce((sum, count) => sum + Math.log(count) / numColumns, 0);
  return Float32Array.from(counts, (count) => Math.log(count) - mean);
}

/** The first layer of items that nobody has keeps its random start otherwise. */
function forgetUnseen(train: Interactions, encoder: SparseTable): void {
  const { offsets } = train.matrixByItem();
  for (let item = 0; item < train.numItems; item++)
    if (offsets[item + 1] === offsets[item]) encoder.values.fill(0, item * encoder.dimensions, (item + 1) * encoder.dimensions);
}
