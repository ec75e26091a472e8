/**
 * Learns the weights of a blend: fits the models on a part of the data, asks them about the rest, keeps the items that matter in
 * each question, and hands the features to blend-weights.ts. Memory: questions × about (100 · models + 100) items × features.
 */
import { DataError, throwIfCancelled } from "../../core/errors.js";
import type { Interactions } from "../../core/interactions.js";
import type { FitContext, FittedModel } from "../../core/model.js";
import { createPacer } from "../../core/pacer.js";
import { createRandom } from "../../core/random.js";
import type { BlendParams } from "../blend.js";
import { blendFeatures, FEATURES_OF } from "./blend-features.js";
import { heldOutQuestions, type Question, questionKindFor } from "./blend-questions.js";
import { type BlendQuestions, learnWeights } from "./blend-weights.js";

const MOST_QUESTIONS = 4000;
const BEST_OF_EACH = 100;
const AT_RANDOM = 100;
const BLOCK = 64;
/** From this share of repeated events on, items of the history are offered again. */
const REPEAT_SHARE = 0.1;

/** One weight per model and feature. Throws DataError when nothing can be held out. */
export async function learnBlend(data: Interactions, params: BlendParams, context: FitContext): Promise<Float64Array> {
  const excludeSeen = params.excludeSeen === "auto" ? repeatShare(data) < REPEAT_SHARE : params.excludeSeen;
  const kind = params.questions === "auto" ? questionKindFor(data) : params.questions;
  const { train, questions } = heldOutQuestions(data, { ...params, kind, excludeSeen, most: MOST_QUESTIONS, seed: context.seed });
  const parts: FittedModel[] = [];
  for (const { model, params: own } of params.models) parts.push(await context.fitModel!(model, train, own));
  const known = questions.filter(
    ({ query }) => isKnown(query.userIndex, train) || parts.some((part) => part.readsBasket && query.basket?.length),
  );
  if (known.length === 0)
    throw new DataError("blend has no held-out questions to learn its weights on.", {
      hint: "Give the models weights, choose other `questions`, or bring more events per user.",
    });
  const blocks: AskedItems[] = [];
  const pace = createPacer(context.signal);
  for (let from = 0; from < known.length; from += BLOCK) {
    throwIfCancelled(context.signal);
    const block = known.slice(from, from + BLOCK);
    blocks.push(...(await itemsOf(parts, block, { train, params, excludeSeen, seed: context.seed + from })));
    context.onProgress?.({ stage: "blend: asking", done: Math.min(known.length, from + BLOCK), total: known.length });
    await pace();
  }
  return learnWeights(joined(blocks, parts.length * FEATURES_OF[params.scale]), params);
}

/** The items of one question: features numItems × numFeatures, row-major. */
interface AskedItems {
  features: Float32Array;
  relevance: Float32Array;
}

function joined(asked: readonly AskedItems[], numFeatures: number): BlendQuestions {
  const offsets = new Int32Array(asked.length + 1);
  asked.forEach(({ relevance }, q) => {
    offsets[q + 1] = offsets[q] + relevance.length;
  });
  const relevance = new Float32Array(offsets[asked.length]);
  const features = Array.from({ length: numFeatures }, () => new Float32Array(relevance.length));
  asked.forEach((one, q) => {
    relevance.set(one.relevance, offsets[q]);
    for (let i = 0; i < one.relevance.length; i++)
      for (let m = 0; m < numFeatures; m++) features[m][offsets[q] + i] = one.features[i * numFeatures + m];
  });
  return { offsets, features, relevance };
}

interface FeatureOptions {
  train: Interactions;
  params: BlendParams;
  excludeSeen: boolean;
  seed: number;
}

async function itemsOf(
  parts: readonly FittedModel[],
  block: readonly Question[],
  { train, params, excludeSeen, seed }: FeatureOptions,
): Promise<AskedItems[]> {
  const { numItems } = train;
  const perModel = FEATURES_OF[params.scale];
  const rows: Float32Array[] = [];
  await blendFeatures(
    parts,
    block.map(({ query }) => query),
    params.scale,
    (_part, _feature, values) => rows.push(values.slice()),
  );
  const { offsets, indices } = train.matrixByUser();
  const random = createRandom(seed);
  return block.map(({ query, relevant }, q) => {
    const user = query.userIndex ?? -1;
    const left = new Set<number>(query.basket);
    if (excludeSeen && user >= 0) for (let e = offsets[user]; e < offsets[user + 1]; e++) left.add(indices[e]);
    const items = new Set(relevant);
    for (let r = 0; r < rows.length; r += perModel)
      for (const item of best(rows[r].subarray(q * numItems, (q + 1) * numItems), BEST_OF_EACH + left.size))
        if (!left.has(item)) items.add(item);
    for (let n = 0; n < AT_RANDOM; n++) {
      const item = random.integer(numItems);
      if (!left.has(item)) items.add(item);
    }
    const list = [...items].sort((a, b) => a - b);
    const relevance = new Map<number, number>();
    for (const item of relevant) relevance.set(item, (relevance.get(item) ?? 0) + 1);
    const features = new Float32Array(list.length * rows.length);
    list.forEach((item, i) => {
      for (let r = 0; r < rows.length; r++) features[i * rows.length + r] = rows[r][q * numItems + item];
    });
    return { features, relevance: Float32Array.from(list, (item) => relevance.get(item) ?? 0) };
  });
}

/** Indexes of the `count` largest values. */
function best(row: Float32Array, count: number): Int32Array {
  if (count >= row.length) return Int32Array.from(row.keys());
  const threshold = row.slice().sort()[row.length - count];
  const found: number[] = [];
  for (let i = 0; i < row.length; i++) if (row[i] > threshold) found.push(i);
  for (let i = 0; i < row.length && found.length < count; i++) if (row[i] === threshold) found.push(i);
  return Int32Array.from(found);
}

function isKnown(userIndex: number | undefined, data: Interactions): boolean {
  const { offsets } = data.eventsByUser();
  return userIndex !== undefined && userIndex >= 0 && offsets[userIndex] < offsets[userIndex + 1];
}

/** Share of events whose user had the item before. */
function repeatShare(data: Interactions): number {
  const { indices } = data.eventsByUser();
  return indices.length === 0 ? 0 : 1 - data.matrixByUser().indices.length / indices.length;
}
