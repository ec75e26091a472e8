/**
 * Training steps of four networks at stated shapes, on generated batches, as the models build them, without dropout: what bench/nn.bench.ts
 * times and torch_peer.py computes, too. All parameters and batches can be written to files, so that both sides begin alike.
 */
import path from "node:path";
import { createRandom, type Random } from "#dist/core/random.js";
import { compileStep, evidenceOf } from "#dist/models/parts/next-item-step.js";
import { recurrentStates } from "#dist/models/parts/recurrent-network.js";
import { sasrecState } from "#dist/models/parts/sasrec-network.js";
import { type TowerShape, towerInputs, towerVectors } from "#dist/models/parts/tower-network.js";
import { crossLayer, deepLayers, type LayerContext, linearOfParts } from "#dist/nn/layers.js";
import { createMaskPool } from "#dist/nn/masks.js";
import { add } from "#dist/nn/ops/elementwise.js";
import { binaryCrossEntropy, inBatchSoftmaxLoss } from "#dist/nn/ops/losses.js";
import { createParameters, type Parameters } from "#dist/nn/parameters.js";
import { createSparseTable, type SparseTable } from "#dist/nn/sparse-table.js";
import { createGraph, input } from "#dist/nn/tensor.js";
import type { StepResult } from "#dist/nn/train.js";
import { createTrainingStep, piecesOf } from "#dist/nn/training-step.js";
import { writeArray } from "./power-law.js";

/** Index arrays of one batch, by name. */
export type Batch = Record<string, Int32Array>;

export interface NetworkStep {
  parameters: Parameters;
  tables: SparseTable[];
  batches: Batch[];
  /** Examples of a step: positions, pairs or rows. */
  examples: number;
  run(batch: Batch, random: Random): Promise<StepResult>;
  release(): Promise<void>;
}

export interface StepShape {
  network: "sasrec" | "lstm" | "two-tower" | "dcn";
  /** Rows of a batch. */
  batch: number;
  /** Items of a sequence. */
  length?: number;
  numItems?: number;
  dimensions: number;
  /** Attention blocks, or recurrent layers. */
  layers?: number;
  /** Negatives that a batch shares; absent = softmax over all items. */
  negatives?: number;
}

/** Rows of the tables of the six fields: users, items, gender, age, occupation and region of MovieLens 100k. */
export const DCN_FIELDS = [943, 1682, 2, 7, 21, 795];
export const DCN_LAYERS = { cross: 3, deep: [192, 192] };
export const TOWER_LAYERS = [128];
const TOWER_USERS = 20_000;

const builders: Record<StepShape["network"], (shape: StepShape, options: BuildOptions) => Promise<NetworkStep>> = {
  sasrec: sequenceStep,
  lstm: sequenceStep,
  "two-tower": towerStep,
  dcn: dcnStep,
};

interface BuildOptions {
  threads: number;
  numBatches: number;
}

export const buildStep = (shape: StepShape, options: BuildOptions): Promise<NetworkStep> => builders[shape.network](shape, options);

/** Without dropout no mask is ever taken. */
const noMasks = () => createMaskPool(0, 1, createRandom(0));

const indexes = (random: Random, count: number, below: number) => Int32Array.from({ length: count }, () => random.integer(below));

async function sequenceStep(shape: StepShape, { threads, numBatches }: BuildOptions): Promise<NetworkStep> {
  const { network, batch, length = 50, numItems = 1000, dimensions, layers = 2, negatives } = shape;
  const random = createRandom(1);
  const parameters = createParameters(random);
  const items = createSparseTable({ name: "items", numRows: numItems, dimensions, deviation: 0.02, random });
  const batches = Array.from({ length: numBatches }, () => {
    const walk = indexes(random, batch * (length + 1), numItems);
    const side = (from: number) =>
      Int32Array.from({ length: batch * length }, (_, k) => walk[Math.floor(k / length) * (length + 1) + (k % length) + from]);
    return { inputs: side(0), targets: side(1) };
  });
  const sequences = { offsets: Int32Array.of(0, batch * length), items: batches[0].inputs };
  const step = await compileStep(
    {
      stage: network,
      sequences,
      network: { parameters, tables: [items] },
      items,
      numItems,
      states: (context: LayerContext, { batch: rows, length: of }: { batch: number | string; length: number }) =>
        network === "sasrec"
          ? sasrecState(context, { batch: rows, length: of }, { dimensions, blocks: layers, heads: 1, maxLength: length })
          : recurrentStates(
              context,
              { batch: rows as number, length: of },
              { cell: "lstm", dimensions, units: dimensions, layers, userDimensions: 0 },
            ),
    },
    { length, batch },
    {
      params: {
        dimensions,
        maxLength: length,
        dropout: 0,
        loss: negatives === undefined ? "full" : "sampled",
        negatives: negatives ?? 1,
        epochs: 1,
        learningRate: 1e-3,
        patience: 1,
        validationShare: 0,
      },
      full: negatives === undefined,
      masks: noMasks(),
      threads,
    },
  );
  const evidence = evidenceOf(sequences);
  const rows = Int32Array.from({ length: batch }, (_, row) => row);
  return {
    parameters,
    tables: [items],
    batches,
    examples: batch * length,
    run: ({ inputs, targets }, drawn) => step.run({ bucket: 0, rows, inputs, targets }, { items, random: drawn, evidence }),
    release: step.release,
  };
}

/** User and item embeddings through a relu layer each, softmax over the items of the batch. */
async function towerStep({ batch, numItems = 1000, dimensions }: StepShape, { threads, numBatches }: BuildOptions): Promise<NetworkStep> {
  const random = createRandom(1);
  const parameters = createParameters(random);
  const table = (name: string, numRows: number) => createSparseTable({ name, numRows, dimensions, deviation: 0.05, random });
  const sides = [
    { name: "user", table: table("users", TOWER_USERS), rows: TOWER_USERS },
    { name: "item", table: table("items", numItems), rows: numItems },
  ];
  const graph = createGraph();
  const context: LayerContext = { graph, parameters, masks: [], dropout: 0 };
  const rows: string[] = [];
  const [queries, candidates] = sides.map(({ name }) => {
    const shape: TowerShape = { name, numFields: 1, numDense: 0, history: false, dimensions, layers: TOWER_LAYERS, normalize: false };
    const inputs = Object.fromEntries(Object.entries(towerInputs(shape)).map(([key, width]) => [key, input(graph, key, [batch, width])]));
    rows.push(...Object.keys(inputs));
    return towerVectors(context, inputs, shape);
  });
  const loss = inBatchSoftmaxLoss({ queries, candidates, weight: input(graph, "weight", [batch, 1]) });
  const step = await createTrainingStep({ context, loss, rows, masks: noMasks(), threads });
  const feeds: Record<string, Float32Array> = { weight: new Float32Array(batch).fill(1 / batch) };
  for (const { name } of sides) feeds[`${name}.embedded`] = new Float32Array(batch * dimensions);
  return {
    parameters,
    tables: sides.map((side) => side.table),
    batches: Array.from({ length: numBatches }, () =>
      Object.fromEntries(sides.map(({ name, rows: below }) => [name, indexes(random, batch, below)])),
    ),
    examples: batch,
    release: step.release,
    async run(given, drawn) {
      for (const { name, table: own } of sides) own.gather(given[name], feeds[`${name}.embedded`]);
      const value = await step.run(feeds, drawn);
      for (const { name, table: own } of sides) own.addGradients(given[name], step.gradient(`${name}.embedded`));
      return { loss: value, examples: batch, gradients: step.parameterGradients };
    },
  };
}

/** DCN-v2: six embeddings side by side, cross layers beside relu layers, click target. */
async function dcnStep({ batch, dimensions }: StepShape, { threads, numBatches }: BuildOptions): Promise<NetworkStep> {
  const random = createRandom(1);
  const parameters = createParameters(random);
  const starts = DCN_FIELDS.map((_, field) => DCN_FIELDS.slice(0, field).reduce((sum, size) => sum + size, 0));
  const numRows = DCN_FIELDS.reduce((sum, size) => sum + size, 0);
  const table = createSparseTable({ name: "fields", numRows, dimensions, deviation: 0.05, random });
  const width = DCN_FIELDS.length * dimensions;
  const graph = createGraph();
  const context: LayerContext = { graph, parameters, masks: [], dropout: 0 };
  const loss = piecesOf(batch)
    .map(({ rows, of }) => {
      const embedded = input(graph, of("embedded"), [rows, width]);
      let crossed = embedded;
      for (let layer = 0; layer < DCN_LAYERS.cross; layer++) crossed = crossLayer(context, embedded, crossed, `cross${layer}`);
      const logits = linearOfParts(context, [crossed, deepLayers(context, embedded, "deep", DCN_LAYERS.deep)], "out", 1);
      return binaryCrossEntropy(logits, input(graph, of("target"), [rows, 1]), input(graph, of("weight"), [rows, 1]));
    })
    .reduce((sum, part) => add(sum, part));
  const step = await createTrainingStep({ context, loss, rows: ["embedded"], masks: noMasks(), threads });
  const feeds = {
    embedded: new Float32Array(batch * width),
    target: new Float32Array(batch),
    weight: new Float32Array(batch).fill(1 / batch),
  };
  return {
    parameters,
    tables: [table],
    batches: Array.from({ length: numBatches }, () => ({
      fields: Int32Array.from(
        { length: batch * DCN_FIELDS.length },
        (_, k) => starts[k % DCN_FIELDS.length] + random.integer(DCN_FIELDS[k % DCN_FIELDS.length]),
      ),
      target: indexes(random, batch, 2),
    })),
    examples: batch,
    release: step.release,
    async run({ fields, target }, drawn) {
      table.gather(fields, feeds.embedded);
      feeds.target.set(target);
      const value = await step.run(feeds, drawn);
      table.addGradients(fields, step.gradient("embedded"));
      return { loss: value, examples: batch, gradients: step.parameterGradients };
    },
  };
}

/** Writes parameters, tables and batches as raw arrays; what is where, by name. */
export async function writeStep(folder: string, { parameters, tables, batches }: NetworkStep): Promise<Record<string, readonly number[]>> {
  const shapes: Record<string, readonly number[]> = {};
  for (const { name, shape, values } of [
    ...parameters.list,
    ...tables.map(({ name, numRows, dimensions, values }) => ({ name, shape: [numRows, dimensions], values })),
  ]) {
    await writeArray(path.join(folder, `${name}.f32`), values);
    shapes[name] = shape;
  }
  for (const [k, batch] of batches.entries())
    for (const [name, values] of Object.entries(batch)) await writeArray(path.join(folder, `${name}.${k}.i32`), values);
  return shapes;
}
