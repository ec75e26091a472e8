/**
 * Learns the weights of a blend: fits the models on a part of the data, asks them about the rest, keeps the items that matter in
 * each question, and hands the features to blend-weights.ts. Memory: questions × about (100 · models + 100) items × features.
 */
import { DataError, throwIfCancelled } from "../../core/errors.js";
import type { Csr, Interactions } from "../../core/interactions.js";
import type { FitContext, FittedModel, Query } from "../../core/model.js";
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

/** One weight per model and feature. */
export interface BlendWeights {
  warm: Float64Array;
  /** For askers of whom nothing is known: parts that answer anyone share the answer, the others have no say. Absent = the same. */
  cold?: Float64Array;
}

/** Fewer questions of cold askers teach nothing: the parts that answer them then count alike. */
const LEAST_COLD = 50;

/** Throws DataError when nothing can be held out. */
export async function learnBlend(data: Interactions, params: BlendParams, context: FitContext): Promise<BlendWeights> {
  const excludeSeen = params.excludeSeen === "auto" ? repeatShare(data) < REPEAT_SHARE : params.excludeSeen;
  const kind = params.questions === "auto" ? questionKindFor(data) : params.questions;
  const { train, questions } = heldOutQuestions(data, { ...params, kind, excludeSeen, most: MOST_QUESTIONS, seed: context.seed });
  const parts: FittedModel[] = [];
  for (const { model, params: own } of params.models) parts.push(await context.fitModel!(model, train, own));
  const readsBasket = parts.some((part) => part.readsBasket);
  const perModel = FEATURES_OF[params.scale];
  const answersCold = parts.flatMap((part) => Array.from({ length: perModel }, () => !part.personal));
  const [warm, cold] = [true, false].map((known) =>
    questions.filter(({ query }) => isKnownAsker(query, train.matrixByUser(), readsBasket) === known),
  );
  if (warm.length === 0)
    throw new DataError("blend has no held-out questions to learn its weights on.", {
      hint: "Give the models weights, choose other `questions`, or bring more events per user.",
    });
  const learn = async (asked: readonly Question[], used?: readonly boolean[]) => {
    const items: AskedItems[] = [];
    const pace = createPacer(context.signal);
    for (let from = 0; from < asked.length; from += BLOCK) {
      throwIfCancelled(context.signal);
      items.push(...(await itemsOf(parts, asked.slice(from, from + BLOCK), { train, params, excludeSeen, seed: context.seed + from })));
      context.onProgress?.({ stage: "blend: asking", done: Math.min(asked.length, from + BLOCK), total: asked.length });
      await pace();
    }
    const questions = joined(items, parts.length * perModel);
    return learnWeights(
      { ...questions, features: questions.features.map((feature, m) => (used?.[m] === false ? feature.fill(0) : feature)) },
      params,
    );
  };
  const numAnswering = parts.filter((part) => !part.personal).length;
  const alike = numAnswering > 0 ? Float64Array.from(answersCold, Number) : undefined;
  const forCold = numAnswering > 1 && cold.length >= LEAST_COLD ? await learn(cold, answersCold) : alike;
  return { warm: await learn(warm), cold: forCold?.map((weight, m) => (answersCold[m] ? weight : 0)) };
}

/** Whether anything is known of who asks: a history, a basket where the models read it, or training events. */
export function isKnownAsker({ userIndex = -1, history, basket }: Query, seen: Csr, readsBasket: boolean): boolean {
  if (history?.length || (readsBasket && basket?.length)) return true;
  return userIndex >= 0 && seen.offsets[userIndex] < seen.offsets[userIndex + 1];
}

/** The items of one question: features numItems × numFeatures, row-major. */
interface AskedItems {
  features: Float32Array;
  relevance: Float32Array;
  multiplicity: Float32Array;
}

function joined(asked: readonly AskedItems[], numFeatures: number): BlendQuestions {
  const offsets = new Int32Array(asked.length + 1);
  asked.forEach(({ relevance }, q) => {
    offsets[q + 1] = offsets[q] + relevance.length;
  });
  const relevance = new Float32Array(offsets[asked.length]);
  const multiplicity = new Float32Array(relevance.length);
  const features = Array.from({ length: numFeatures }, () => new Float32Array(relevance.length));
  asked.forEach((one, q) => {
    relevance.set(one.relevance, offsets[q]);
    multiplicity.set(one.multiplicity, offsets[q]);
    for (let i = 0; i < one.relevance.length; i++)
      for (let m = 0; m < numFeatures; m++) features[m][offsets[q] + i] = one.features[i * numFeatures + m];
  });
  return { offsets, features, relevance, multiplicity };
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
    const others = numItems - items.size - left.size;
    const drawn = new Set<number>();
    for (let n = 0; n < AT_RANDOM; n++) {
      const item = random.integer(numItems);
      if (!left.has(item) && !items.has(item)) drawn.add(item);
    }
    for (const item of drawn) items.add(item);
    const list = [...items].sort((a, b) => a - b);
    const relevance = new Map<number, number>();
    for (const item of relevant) relevance.set(item, (relevance.get(item) ?? 0) + 1);
    const features = new Float32Array(list.length * rows.length);
    list.forEach((item, i) => {
      for (let r = 0; r < rows.length; r++) features[i * rows.length + r] = rows[r][q * numItems + item];
    });
    return {
      features,
      relevance: Float32Array.from(list, (item) => relevance.get(item) ?? 0),
      multiplicity: Float32Array.from(list, (item) => (drawn.has(item) ? Math.max(1, others / drawn.size) : 1)),
    };
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

/** Share of events whose user had the item before. */
function repeatShare(data: Interactions): number {
  const { indices } = data.eventsByUser();
  return indices.length === 0 ? 0 : 1 - data.matrixByUser().indices.length / indices.length;
}
