/**
 * Trains a network that reads a user's items in order and says at every position which item comes next: one compiled graph (loss and
 * gradients) per bucket of sequence lengths, softmax over all items or over shared negatives, validation on held-out last events.
 * Called by sasrec and the recurrent models.
 */
import type { FitContext } from "../../core/model.js";
import { createRandom, type Random } from "../../core/random.js";
import type { LayerContext } from "../../nn/layers.js";
import { createMaskPool, type MaskPool } from "../../nn/masks.js";
import { bprMaxLoss, fullSoftmaxLoss, sampledSoftmaxLoss } from "../../nn/ops/losses.js";
import type { Schedule } from "../../nn/optimizers.js";
import type { SparseTable } from "../../nn/sparse-table.js";
import { createGraph, input, type Tensor } from "../../nn/tensor.js";
import { type Network, type StepResult, type TrainingResult, trainNetwork } from "../../nn/train.js";
import { createTrainingStep } from "../../nn/training-step.js";
import { type EncodeHeldOut, heldOutUsers, nextItemNdcg } from "./next-item-validation.js";
import { type Bucket, bucketsFor, numBatches, type SequenceBatch, sequenceBatches, usersByBucket } from "./sequence-batches.js";
import { createSequenceEncoder, type SequenceNetwork } from "./sequence-encoder.js";
import type { ItemSequences } from "./user-sequences.js";

export interface NextItemTraining {
  /** As in progress and errors: the model's name. */
  stage: string;
  /** −1 among the items marks a border: an input of zeros, and nothing to be predicted. */
  sequences: ItemSequences;
  /** States after every position, from rows of `items`. */
  states: SequenceNetwork;
  network: Network;
  items: SparseTable;
  numItems: number;
  /** Vectors of those whom the sequences belong to: input `users` of the network, [batch × dimensions of the table]. */
  users?: { table: SparseTable; ofSequence: Int32Array };
  /** Last states of held-out sequences; by default from `states` at maxLength. */
  encode?: EncodeHeldOut;
  /** Towards rate 0 at the last epoch, or not at all. Default "constant". */
  decay?: Schedule["decay"];
}

/** What the params of such a model have in common. */
export interface NextItemParams {
  dimensions: number;
  maxLength: number;
  dropout: number;
  loss: "auto" | "full" | "sampled" | "bpr-max";
  negatives: number;
  epochs: number;
  learningRate: number;
  patience: number;
  validationShare: number;
  /** Largest joint norm of a step's gradients; not clipped when absent. */
  clipNorm?: number;
  /** Width of a layer, where dropout meets more than `dimensions`. */
  units?: number;
}

/** Positions of a batch: of large data, and so few that an epoch of small data has about STEPS steps. */
const [MOST_POSITIONS, LEAST_POSITIONS, STEPS] = [1600, 64, 30];
const MOST_ITEMS_FULL = 20_000;
const MOST_WARM_UP = 100;

export async function trainNextItem(training: NextItemTraining, params: NextItemParams, context: FitContext): Promise<TrainingResult> {
  const { stage, sequences, states, network, items, numItems } = training;
  const full = params.loss === "full" || (params.loss === "auto" && numItems <= MOST_ITEMS_FULL);
  const droppedLast = heldOutUsers(sequences, params.validationShare, context.seed);
  const buckets = bucketsFor(params.maxLength, Math.min(MOST_POSITIONS, Math.max(LEAST_POSITIONS, sequences.items.length / STEPS)));
  const users = usersByBucket(sequences, buckets, droppedLast);
  const stepsPerEpoch = numBatches(users, buckets);
  const widest = Math.max(params.dimensions, params.units ?? 0);
  const largestMask = buckets.reduce((most, { length, batch }) => Math.max(most, length * batch * widest), 0);
  const masks = createMaskPool(params.dropout, largestMask, createRandom(context.seed + 1));
  const compiled = new Map<number, Promise<Step>>();
  const stepFor = (bucket: number): Promise<Step> => {
    const known = compiled.get(bucket);
    if (known) return known;
    const made = compileStep(training, buckets[bucket], { params, full, masks, threads: context.threads, device: context.device });
    compiled.set(bucket, made);
    return made;
  };
  for (let bucket = 0; bucket < buckets.length; bucket++) if (users[bucket].length > 0) await stepFor(bucket); // parameters in a fixed order
  const evidence = evidenceOf(sequences);
  const encoder = training.encode ? undefined : createSequenceEncoder({ parameters: network.parameters, states }, items.values, params);
  const newest = (history: Int32Array) => history.subarray(Math.max(0, history.length - params.maxLength));
  const encode: EncodeHeldOut = training.encode ?? ((histories, _, out) => encoder!.encode(histories.map(newest), out));
  const validation = droppedLast.some((held) => held === 1);
  try {
    return await trainNetwork<SequenceBatch>(
      {
        stage,
        network,
        epochs: params.epochs,
        patience: params.patience,
        optimizer: { name: "adam" },
        schedule: { rate: params.learningRate, warmUp: Math.min(MOST_WARM_UP, stepsPerEpoch), decay: training.decay },
        clipNorm: params.clipNorm,
        stepsPerEpoch,
        batches: (random) => sequenceBatches(sequences, { buckets, users, droppedLast }, random),
        async step(batch, random) {
          const step = await stepFor(batch.bucket);
          return step.run(batch, { items, random, evidence });
        },
        validate: validation
          ? () => nextItemNdcg({ sequences, numItems, items: items.values }, { encode, heldOut: droppedLast, ...params })
          : undefined,
      },
      context,
    );
  } finally {
    for (const step of compiled.values()) await (await step).release();
    await encoder?.release();
  }
}

interface Step {
  run(batch: SequenceBatch, using: { items: SparseTable; random: Random; evidence: Evidence }): Promise<StepResult>;
  release(): Promise<void>;
}

/** Negatives are drawn as often as the item occurs. */
interface Evidence {
  events: Int32Array;
  logShare: Float32Array;
}

function evidenceOf(sequences: ItemSequences): Evidence {
  const items = sequences.items.filter((item) => item >= 0);
  const counts = new Float32Array(items.reduce((most, item) => Math.max(most, item), 0) + 1);
  for (const item of items) counts[item]++;
  return { events: items, logShare: counts.map((count) => Math.log(Math.max(1, count) / items.length)) };
}

async function compileStep(
  { network, states, numItems, users }: NextItemTraining,
  { length, batch }: Bucket,
  { params, full, masks, ...options }: { params: NextItemParams; full: boolean; masks: MaskPool; threads: number; device?: string },
): Promise<Step> {
  const { dimensions, negatives: numNegatives } = params;
  const n = batch * length;
  const graph = createGraph();
  const context: LayerContext = { graph, parameters: network.parameters, masks: [], dropout: params.dropout };
  const hidden = states(context, { batch, length });
  const weight = input(graph, "weight", [n, 1]);
  const sources: Record<string, Tensor> = { rows: graph.inputs.get("rows")!, ...(users ? { users: graph.inputs.get("users")! } : {}) };
  let loss: Tensor;
  if (full) {
    sources.items = input(graph, "items", [numItems, dimensions]);
    sources.targetRows = input(graph, "targetRows", [n, dimensions]);
    const { items, targetRows } = sources;
    loss = fullSoftmaxLoss({ hidden, items, targetRows, target: input(graph, "target", [n, 1], "int64"), weight });
  } else {
    sources.positives = input(graph, "positives", [n, dimensions]);
    sources.negatives = input(graph, "negatives", [numNegatives, dimensions]);
    const { positives, negatives } = sources;
    const of = { hidden, positives, negatives, weight };
    const bias = () => ({ positiveBias: input(graph, "positiveBias", [n, 1]), negativeBias: input(graph, "negativeBias", [numNegatives]) });
    loss = params.loss === "bpr-max" ? bprMaxLoss(of) : sampledSoftmaxLoss({ ...of, ...bias() });
  }
  const step = await createTrainingStep({ context, loss, rows: sources, masks, ...options });
  const feeds = {
    rows: new Float32Array(n * dimensions),
    weight: new Float32Array(n),
    target: new BigInt64Array(n),
    targetRows: new Float32Array(n * dimensions),
    negatives: new Float32Array(numNegatives * dimensions),
    negativeBias: new Float32Array(numNegatives),
    positiveBias: new Float32Array(n),
  };
  const owners = users && { ...users, rows: new Int32Array(batch), values: new Float32Array(batch * users.table.dimensions) };
  const targetLow = new Int32Array(feeds.target.buffer); // little-endian, and items are below 2³¹
  const drawn = new Int32Array(numNegatives);
  return {
    release: step.release,
    async run({ rows: sequences, inputs, targets }, { items, random, evidence }) {
      let examples = 0;
      for (let k = 0; k < n; k++) if (targets[k] >= 0) examples++;
      for (let k = 0; k < n; k++) {
        feeds.weight[k] = targets[k] >= 0 ? 1 / examples : 0;
        targetLow[2 * k] = Math.max(0, targets[k]);
      }
      items.gather(inputs, feeds.rows);
      items.gather(targets, feeds.targetRows);
      const { rows, weight, target, targetRows } = feeds;
      const given: Record<string, Float32Array> = { rows, weight };
      if (owners) {
        for (let row = 0; row < batch; row++) owners.rows[row] = row < sequences.length ? owners.ofSequence[sequences[row]] : -1;
        owners.table.gather(owners.rows, owners.values);
        given.users = owners.values;
      }
      let loss: number;
      if (full) {
        loss = await step.run({ ...given, target, targetRows, items: items.values }, random);
        items.addDense(step.gradient("items"));
        items.addGradients(targets, step.gradient("targetRows"));
      } else {
        const expected = Math.log(numNegatives);
        for (let s = 0; s < numNegatives; s++) {
          drawn[s] = evidence.events[random.integer(evidence.events.length)];
          feeds.negativeBias[s] = -evidence.logShare[drawn[s]] - expected;
        }
        items.gather(drawn, feeds.negatives);
        const { negatives, negativeBias, positiveBias } = feeds;
        const bias: Record<string, Float32Array> = params.loss === "bpr-max" ? {} : { negativeBias, positiveBias };
        loss = await step.run({ ...given, positives: targetRows, negatives, ...bias }, random);
        items.addGradients(targets, step.gradient("positives"));
        items.addGradients(drawn, step.gradient("negatives"));
      }
      items.addGradients(inputs, step.gradient("rows"));
      if (owners) owners.table.addGradients(owners.rows, step.gradient("users"));
      return { loss, examples, gradients: step.parameterGradients };
    },
  };
}
