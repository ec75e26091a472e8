/**
 * Fitting, serving and saving of networks over pairs (dcn, deepfm). A rating model predicts mean + deviation · score, a click model scores
 * by the logit. A user given by a history, or unknown, is answered as one of whom nothing is known.
 */
import { z } from "zod";
import { ConfigError } from "../../core/errors.js";
import type { Interactions } from "../../core/interactions.js";
import type { FeatureStrengths, FitContext, FittedModel, ModelState, Query, SavedModel } from "../../core/model.js";
import { parseParams } from "../../core/params.js";
import { createRandom } from "../../core/random.js";
import { eventTexts, restoredTexts } from "./event-texts.js";
import { embedFeatures, featureBatch } from "./feature-batch.js";
import { type EncodedFeatures, encodeFeatures, featureState, restoredFeatures } from "./feature-encoder.js";
import { type FeatureSource, planFeatures } from "./feature-plan.js";
import { createPairParts, createPairScorer, type PairNetwork, type PairParts } from "./pair-network.js";
import { pairOnnx } from "./pair-onnx.js";
import type { PairParams } from "./pair-params.js";
import { trainPairs } from "./pair-training.js";
import { ratingScale } from "./rating-factors.js";
import { savedFloat32 } from "./saved-arrays.js";

export interface PairDefinition {
  name: string;
  title: string;
  network: PairNetwork;
  /** Width of an embedding. */
  width: number;
  featureStrengths?(parts: PairParts): FeatureStrengths;
}

interface Made extends PairDefinition {
  params: PairParams;
  numUsers: number;
  numItems: number;
}

interface Learned {
  parts: PairParts;
  losses: readonly number[];
  /** Prediction = mean + deviation · score. */
  mean: number;
  deviation: number;
}

export async function fitPairModel(
  definition: PairDefinition,
  { train, params }: { train: Interactions; params: PairParams },
  context: FitContext,
): Promise<FittedModel> {
  const { numUsers, numItems } = train;
  const { mean, scale: deviation } = params.target === "rating" ? ratingScale(train) : { mean: 0, scale: 1 };
  const source = (whose: "users" | "items", numRows: number, events: Int32Array): FeatureSource => {
    const known = new Uint8Array(numRows);
    for (const row of events) if (row >= 0) known[row] = 1;
    return { whose, numRows, features: whose === "users" ? context.userFeatures : context.itemFeatures, known };
  };
  const encode = (own: FeatureSource) => encodeFeatures(planFeatures(own, params), own);
  const features = {
    user: encode(source("users", numUsers, train.userIndex)),
    item: encode(source("items", numItems, train.itemIndex)),
  };
  const saved = context.checkpoint?.resumeFrom?.state.arrays;
  const { target, eventTexts: whose, textBuckets: buckets } = params;
  if (whose === "own" && target === "click")
    throw new ConfigError(`The model ${definition.name} reads the texts of its own events, which sampled items do not have.`, {
      hint: "Use target: rating, or eventTexts: others.",
    });
  const texts = whose === "none" ? undefined : eventTexts(train, { whose, buckets });
  const parts = createPairParts({ ...definition, features, texts }, { random: createRandom(context.seed), saved });
  const standardise = (rating: number) => (rating - mean) / deviation;
  const { losses } = await trainPairs({ name: definition.name, parts, train, standardise }, params, context);
  return pairModel({ ...definition, params, numUsers, numItems }, { parts, losses, mean, deviation });
}

const savedSchema = z.object({ losses: z.array(z.number()), mean: z.number(), deviation: z.number().positive() });

/** The inverse of `state`. Throws ModelFormatError. */
export function restorePairModel(definition: PairDefinition, { params, numUsers, numItems, state }: SavedModel<PairParams>): FittedModel {
  const features = { user: restoredFeatures(state, "user", numUsers), item: restoredFeatures(state, "item", numItems) };
  for (const side of ["user", "item"] as const) savedFloat32(state, `${side}_embeddings`, [features[side].numEmbeddings, definition.width]);
  const texts = params.eventTexts === "none" ? undefined : restoredTexts(state, params.eventTexts);
  if (texts) savedFloat32(state, "text_embeddings", [texts.numEmbeddings, definition.width]);
  const parts = createPairParts({ ...definition, features, texts }, { random: createRandom(0), saved: state.arrays });
  const learned = parseParams(savedSchema, state.extra, `Saved model ${definition.name}`);
  return pairModel({ ...definition, params, numUsers, numItems }, { parts, ...learned });
}

function pairModel(
  { name, title, params, numUsers, numItems, featureStrengths }: Made,
  { parts, losses, mean, deviation }: Learned,
): FittedModel {
  const { features, tables, parameters, texts } = parts;
  const scorer = createPairScorer(parts);
  const userOf = ({ userIndex = -1, history }: Query) => (history?.length ? -1 : userIndex);
  /** Each query with `count` items of its own, one query after another in `item`. */
  const answer = async (queries: readonly Query[], item: Int32Array, out: Float32Array) => {
    const count = item.length / queries.length;
    const user = Int32Array.from(item, (_, k) => userOf(queries[Math.floor(k / count)]));
    const own = texts?.whose === "own" ? queries.map(({ context }) => texts.rowsOf(context)) : undefined;
    await scorer.score({ user, item, own: own && Array.from(item, (_, k) => own[Math.floor(k / count)]) }, out);
    for (let k = 0; k < item.length; k++) out[k] = mean + deviation * out[k];
  };
  let itemVectors: Float32Array | undefined;
  const everyItem = Int32Array.from({ length: numItems }, (_, item) => item);
  return {
    name,
    params,
    numUsers,
    numItems,
    personal: true,
    losses,
    ...(texts?.whose === "own" ? { readsEventTexts: true } : {}),
    ...(featureStrengths ? { featureStrengths: () => featureStrengths(parts) } : {}),
    async scoreAll(queries, out) {
      for (const [q, query] of queries.entries()) await answer([query], everyItem, out.subarray(q * numItems, (q + 1) * numItems));
    },
    scoreCandidates(queries, itemIndexes, out) {
      const item = new Int32Array(queries.length * itemIndexes.length);
      queries.forEach((_, q) => {
        item.set(itemIndexes, q * itemIndexes.length);
      });
      return answer(queries, item, out);
    },
    knowsUser: (user) => knowsRow(features.user, user),
    toOnnx: async () => pairOnnx({ model: name, title, parts, numUsers, numItems, mean, deviation }),
    get itemSimilarityVectors() {
      itemVectors ??= embeddedRows(parts);
      return { dimensions: itemVectors.length / numItems, vectors: itemVectors };
    },
    state(): ModelState {
      const [user, item] = [featureState(features.user, "user"), featureState(features.item, "item")];
      const [own, words] = [parameters.arrays(), texts?.state()];
      const embeddings = Object.fromEntries(
        Object.values(tables).map((table) => [table.name, { shape: [table.numRows, table.dimensions], data: table.values }]),
      );
      return {
        arrays: { ...own, ...embeddings, ...user.arrays, ...item.arrays, ...words?.arrays },
        extra: { ...user.extra, ...item.extra, ...words?.extra, losses: [...losses], mean, deviation },
      };
    },
  };
}

/** Whether any feature of the row is known. */
function knowsRow({ fields, offsets, tableRows }: EncodedFeatures, row: number): boolean {
  const width = fields.length;
  return fields.some(({ firstRow }, f) => tableRows[offsets ? offsets[row * width + f] : row * width + f] !== firstRow);
}

/** The embeddings of every item's fields, one behind the other; zeros for items of which nothing is known. */
function embeddedRows({ features: { item }, tables }: PairParts): Float32Array {
  const width = item.fields.length * tables.item.dimensions;
  const out = new Float32Array(item.numRows * width);
  const known = Int32Array.from({ length: item.numRows }, (_, row) => row).filter((row) => knowsRow(item, row));
  const rows = new Float32Array(known.length * width);
  embedFeatures(tables.item, featureBatch(item, known), rows);
  known.forEach((row, k) => {
    out.set(rows.subarray(k * width, (k + 1) * width), row * width);
  });
  return out;
}
