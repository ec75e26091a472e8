/**
 * Networks that score a pair of user and item from the features of both: what is fed to them, their parameters and tables, and a scorer
 * over blocks of pairs. Trained by pair-training.ts, served by pair-model.ts. Called by dcn and deepfm.
 */
import { ModelFormatError } from "../../core/errors.js";
import type { ModelState } from "../../core/model.js";
import type { Random } from "../../core/random.js";
import { dropout as dropped, type LayerContext } from "../../nn/layers.js";
import { concat } from "../../nn/ops/shape.js";
import { createParameters, type Parameters } from "../../nn/parameters.js";
import { createSession, type Session } from "../../nn/session.js";
import { createSparseTable, type SparseTable } from "../../nn/sparse-table.js";
import { createGraph, type Dimension, input, type Tensor } from "../../nn/tensor.js";
import type { Piece } from "../../nn/training-step.js";
import type { EventTexts, TextPairs } from "./event-texts.js";
import { embedFeatures, type FeatureBatch, featureBatch } from "./feature-batch.js";
import type { EncodedFeatures } from "./feature-encoder.js";

/** The inputs of n pairs. */
export interface PairInputs {
  /** n × fields · width: the user's fields, the item's, then texts of events, each `width` wide. */
  embedded: Tensor;
  /** n × numbers of user and item; absent when there are none. */
  dense?: Tensor;
  numFields: number;
  width: number;
}

/** Adds a network to a graph: [n × 1] scores. */
export type PairNetwork = (context: LayerContext, inputs: PairInputs) => Tensor;

/** A network with what it has learned. */
export interface PairParts {
  network: PairNetwork;
  parameters: Parameters;
  /** Embeddings of the fields of users and of items. */
  tables: { user: SparseTable; item: SparseTable; text?: SparseTable };
  features: { user: EncodedFeatures; item: EncodedFeatures };
  texts?: EventTexts;
}

const sides = ["user", "item"] as const;

/** Standard deviation of embeddings at their start. */
const DEVIATION = 0.05;

/** Tables and parameters at their start, or as in saved arrays. `width`: of an embedding. */
export function createPairParts(
  { network, features, texts, width }: Pick<PairParts, "network" | "features" | "texts"> & { width: number },
  { random, saved }: { random: Random; saved?: ModelState["arrays"] },
): PairParts {
  const parameters = createParameters(random);
  if (saved) parameters.restore(saved);
  const table = (side: "user" | "item" | "text", { numEmbeddings }: { numEmbeddings: number }) =>
    createSparseTable({
      name: `${side}_embeddings`,
      numRows: numEmbeddings,
      dimensions: width,
      deviation: DEVIATION,
      random,
      saved,
    });
  const tables = { user: table("user", features.user), item: table("item", features.item) };
  const parts: PairParts = { network, parameters, tables: texts ? { ...tables, text: table("text", texts) } : tables, features, texts };
  pairGraph(parts, 1, pairContext(parts)); // makes the parameters, in a fixed order
  const missing = saved && parameters.list.find(({ name }) => !saved[name]);
  if (missing)
    throw new ModelFormatError(`The saved model has no array ${missing.name}.`, {
      hint: "Train and save the model again.",
      details: { expected: missing.name },
    });
  return parts;
}

/** A context of layers for `pairGraph`. */
export const pairContext = ({ parameters }: PairParts, dropout = 0): LayerContext => ({
  graph: createGraph(),
  parameters,
  masks: [],
  dropout,
});

/**
 * Adds the network for n pairs to the context's graph: inputs `users`, `items` and, where there are texts or numbers, `texts`,
 * `userNumbers`, `itemNumbers`, under the names that `of` gives them.
 */
export function pairGraph(
  { network, tables, features, texts }: PairParts,
  n: Dimension,
  context: LayerContext,
  of: Piece["of"] = (name) => name,
): { inputs: PairInputs; score: Tensor } {
  const { graph } = context;
  const width = tables.user.dimensions;
  const own = sides.map((side) => input(graph, of(`${side}s`), [n, features[side].fields.length * width]));
  const whole = concat(texts ? [...own, input(graph, of("texts"), [n, texts.fields.length * width])] : own, 1);
  const embedded = dropped(context, whole);
  const numbers = sides
    .filter((side) => features[side].numDense > 0)
    .map((side) => input(graph, of(`${side}Numbers`), [n, features[side].numDense]));
  const numFields = features.user.fields.length + features.item.fields.length + (texts?.fields.length ?? 0);
  const inputs: PairInputs = { embedded, numFields, width, ...(numbers.length > 0 ? { dense: concat(numbers, 1) } : {}) };
  return { inputs, score: network(context, inputs) };
}

/** Buffers of the inputs of `pairGraph`. */
export type PairFeeds = Readonly<Record<string, Float32Array>>;

export function pairFeeds({ tables, features, texts }: PairParts, n: number): PairFeeds {
  return Object.fromEntries([
    ...(texts ? [["texts", new Float32Array(n * texts.fields.length * tables.text!.dimensions)] as [string, Float32Array]] : []),
    ...sides.flatMap((side): [string, Float32Array][] => [
      [`${side}s`, new Float32Array(n * features[side].fields.length * tables[side].dimensions)],
      ...(features[side].numDense > 0 ? [[`${side}Numbers`, new Float32Array(n * features[side].numDense)] as [string, Float32Array]] : []),
    ]),
  ]);
}

/** Fills the buffers for given pairs, at most n (−1: unknown); the rest becomes 0. */
export function fillPairs(
  parts: PairParts,
  feeds: PairFeeds,
  { user, item, dropped, own }: TextPairs,
): { user: FeatureBatch; item: FeatureBatch; text?: FeatureBatch } {
  const { tables, features } = parts;
  const fill = (side: "user" | "item", rows: Int32Array) => {
    const batch = featureBatch(features[side], rows, dropped);
    embedFeatures(tables[side], batch, feeds[`${side}s`]);
    feeds[`${side}s`].fill(0, rows.length * features[side].fields.length * tables[side].dimensions);
    feeds[`${side}Numbers`]?.set(batch.dense);
    feeds[`${side}Numbers`]?.fill(0, batch.dense.length);
    return batch;
  };
  return { user: fill("user", user), item: fill("item", item), text: fillTexts(parts, feeds, { user, item, dropped, own }) };
}

/** The texts alone; undefined where the network reads none. */
export function fillTexts({ tables, texts }: PairParts, feeds: PairFeeds, pairs: TextPairs): FeatureBatch | undefined {
  if (!texts) return undefined;
  const batch = texts.batch(pairs);
  embedFeatures(tables.text!, batch, feeds.texts);
  feeds.texts.fill(0, pairs.item.length * texts.fields.length * tables.text!.dimensions);
  return batch;
}

export interface PairScorer {
  /** Scores of pairs (−1: unknown). Reads tables and parameters as they are now. */
  score(pairs: TextPairs, out: Float32Array): Promise<void>;
  release(): Promise<void>;
}

/** Pairs of a block: few for a few questions, else many. */
const BLOCKS = [64, 1024];

/** Compiles on first use; calls wait for each other, since they share buffers. */
export function createPairScorer(parts: PairParts): PairScorer {
  const compiled = new Map<number, Promise<{ session: Session; feeds: PairFeeds }>>();
  const blockOf = (size: number) => {
    const found = compiled.get(size) ?? compile(size);
    compiled.set(size, found);
    return found;
  };
  async function compile(size: number) {
    const session = await createSession({ score: pairGraph(parts, size, pairContext(parts)).score });
    for (const { name, values } of parts.parameters.list) if (session.inputNames.includes(name)) session.bind(name, values);
    const feeds = Object.fromEntries(Object.entries(pairFeeds(parts, size)).filter(([name]) => session.inputNames.includes(name)));
    return { session, feeds };
  }
  let last: Promise<unknown> = Promise.resolve();
  async function scoreAll({ user, item, own }: TextPairs, out: Float32Array): Promise<void> {
    const size = item.length <= BLOCKS[0] ? BLOCKS[0] : BLOCKS[1];
    const { session, feeds } = await blockOf(size);
    for (let from = 0; from < item.length; from += size) {
      const to = Math.min(item.length, from + size);
      fillPairs(parts, feeds, { user: user.subarray(from, to), item: item.subarray(from, to), own: own?.slice(from, to) });
      await session.run(feeds);
      out.set((session.outputs.score as Float32Array).subarray(0, to - from), from);
    }
  }
  return {
    score(pairs, out) {
      const result = last.then(() => scoreAll(pairs, out));
      last = result.catch(() => {});
      return result;
    },
    async release() {
      for (const block of compiled.values()) await (await block).session.release();
      compiled.clear();
    },
  };
}
