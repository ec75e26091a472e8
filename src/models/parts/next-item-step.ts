/**
 * One compiled training step of a next-item network for batches of one shape: loss and gradients in one graph, item rows gathered before
 * and their gradients added to the tables behind. Softmax over all items or over negatives that the batch shares (drawn as often as they
 * occur), BPR-max, or gBCE (drawn evenly). Called by next-item-training.ts.
 */
import type { Random } from "../../core/random.js";
import type { LayerContext } from "../../nn/layers.js";
import type { MaskPool } from "../../nn/masks.js";
import { bprMaxLoss, fullSoftmaxLoss, generalizedCrossEntropy, sampledSoftmaxLoss } from "../../nn/ops/losses.js";
import type { SparseTable } from "../../nn/sparse-table.js";
import { createGraph, input, type Tensor } from "../../nn/tensor.js";
import type { StepResult } from "../../nn/train.js";
import { createTrainingStep } from "../../nn/training-step.js";
import type { NextItemParams, NextItemTraining } from "./next-item-params.js";
import type { Bucket, SequenceBatch } from "./sequence-batches.js";
import type { ItemSequences } from "./user-sequences.js";

export interface NextItemStep {
  run(batch: SequenceBatch, using: { items: SparseTable; random: Random; evidence: Evidence }): Promise<StepResult>;
  release(): Promise<void>;
}

/** How often items occur. */
export interface Evidence {
  events: Int32Array;
  logShare: Float32Array;
}

export function evidenceOf(sequences: ItemSequences): Evidence {
  const items = sequences.items.filter((item) => item >= 0);
  const counts = new Float32Array(items.reduce((most, item) => Math.max(most, item), 0) + 1);
  for (const item of items) counts[item]++;
  return { events: items, logShare: counts.map((count) => Math.log(Math.max(1, count) / items.length)) };
}

/** All steps of a network share its parameters; they are made on first mention, so buckets are compiled in one order. */
export async function compileStep(
  { network, states, numItems, users }: NextItemTraining,
  { length, batch }: Bucket,
  { params, full, masks, ...options }: { params: NextItemParams; full: boolean; masks: MaskPool; threads: number; device?: string },
): Promise<NextItemStep> {
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
    if (params.loss === "bpr-max") loss = bprMaxLoss(of);
    else if (params.loss === "gbce") loss = generalizedCrossEntropy(of, powerOf(params, numItems));
    else {
      const positiveBias = input(graph, "positiveBias", [n, 1]);
      loss = sampledSoftmaxLoss({ ...of, positiveBias, negativeBias: input(graph, "negativeBias", [numNegatives]) });
    }
  }
  const step = await createTrainingStep({ context, loss, rows: Object.keys(sources), masks, ...options });
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
  const corrected = params.loss !== "bpr-max" && params.loss !== "gbce";
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
          drawn[s] = params.loss === "gbce" ? random.integer(numItems) : evidence.events[random.integer(evidence.events.length)];
          feeds.negativeBias[s] = -(evidence.logShare[drawn[s]] ?? 0) - expected;
        }
        items.gather(drawn, feeds.negatives);
        const { negatives, negativeBias, positiveBias } = feeds;
        const bias: Record<string, Float32Array> = corrected ? { negativeBias, positiveBias } : {};
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

/** β = 1 − t (1 − α), α = share of the other items that are drawn (Petrov & Macdonald 2023, eq. 13). */
function powerOf({ negatives, calibration = 0.75 }: NextItemParams, numItems: number): number {
  return 1 - calibration * (1 - Math.min(1, negatives / Math.max(1, numItems - 1)));
}
