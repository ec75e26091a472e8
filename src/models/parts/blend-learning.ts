/**
 * Learns the weights of a blend: fits the models on a part of the data, asks them about the rest, keeps the items that matter in
 * each question, and hands the features to blend-weights.ts. Memory: questions × about (100 · models + 100) items × features.
 */
import { DataError, throwIfCancelled } from "../../core/errors.js";
import type { Interactions } from "../../core/interactions.js";
import type { FitContext, FittedModel } from "../../core/model.js";
import { createPacer } from "../../core/pacer.js";
import { createRandom } from "../../core/random.js";
import { type AskerKind, askerKind } from "./asker-kind.js";
import { blendFeatures, FEATURES_OF } from "./blend-features.js";
import type { BlendParams } from "./blend-params.js";
import { heldOutRounds, type Question, questionKindFor } from "./blend-questions.js";
import { type BlendQuestions, learnWeights } from "./blend-weights.js";

const MOST_QUESTIONS = 4000;
const BEST_OF_EACH = 100;
const AT_RANDOM = 100;
const BLOCK = 64;
/** From this share of repeated events on, items of the history are offered again. */
const REPEAT_SHARE = 0.1;

/** Fewer questions of cold askers teach nothing: the parts that answer them then count alike. */
const LEAST_COLD = 50;

/** One weight per model and feature, for each kind of asker; absent = those of known askers. */
export interface BlendWeights {
  known: Float64Array;
  /** To newcomers and guests the parts that answer anyone share the answer, the others have no say. */
  newcomer?: Float64Array;
  guest?: Float64Array;
}

/** Throws DataError when nothing can be held out. */
export async function learnBlend(data: Interactions, params: BlendParams, context: FitContext): Promise<BlendWeights> {
  const perModel = FEATURES_OF[params.scale];
  const { asked, answersAnyone } = await askedQuestions(data, params, context);
  if (asked.known.length === 0)
    throw new DataError("blend has no held-out questions to learn its weights on.", {
      hint: "Give the models weights, choose other `questions`, or bring more events per user.",
    });
  const used = answersAnyone.flatMap((answers) => Array.from({ length: perModel }, () => answers));
  const known = learnWeights(joined(asked.known, used.length), params);
  const numAnswering = answersAnyone.filter(Boolean).length;
  if (numAnswering === 0) return { known };
  const cold = (own: readonly AskedItems[]): Float64Array => {
    const enough = [own, [...asked.newcomer, ...asked.guest]].find((questions) => questions.length >= LEAST_COLD);
    if (numAnswering === 1 || !enough) return Float64Array.from(used, Number);
    const questions = joined(enough, used.length);
    const features = questions.features.map((feature, m) => (used[m] ? feature : feature.fill(0)));
    return learnWeights({ ...questions, features }, params).map((weight, m) => (used[m] ? weight : 0));
  };
  return { known, newcomer: cold(asked.newcomer), guest: cold(asked.guest) };
}

/** The models fitted on what each round leaves and asked about the rest; and which of them answer anyone. */
async function askedQuestions(
  data: Interactions,
  params: BlendParams,
  { seed, signal, onProgress, fitModel }: FitContext,
): Promise<{ asked: Record<AskerKind, AskedItems[]>; answersAnyone: boolean[] }> {
  const excludeSeen = params.excludeSeen === "auto" ? repeatShare(data) < REPEAT_SHARE : params.excludeSeen;
  const kind = params.questions === "auto" ? questionKindFor(data) : params.questions;
  const asked: Record<AskerKind, AskedItems[]> = { known: [], newcomer: [], guest: [] };
  let answersAnyone: boolean[] = [];
  const pace = createPacer(signal);
  for (const { train, questions } of heldOutRounds(data, { ...params, kind, excludeSeen, most: MOST_QUESTIONS, seed })) {
    const parts: FittedModel[] = [];
    for (const { model, params: own } of params.models) parts.push(await fitModel!(model, train, own));
    answersAnyone = parts.map((part) => !part.personal);
    const readsBasket = parts.some((part) => part.readsBasket);
    for (let from = 0; from < questions.length; from += BLOCK) {
      throwIfCancelled(signal);
      const block = questions.slice(from, from + BLOCK);
      const items = await itemsOf(parts, block, { train, params, excludeSeen, seed: seed + from });
      block.forEach(({ query }, q) => void asked[askerKind(query, train.matrixByUser(), readsBasket)].push(items[q]));
      onProgress?.({ stage: "blend: asking", done: from + block.length, total: questions.length });
      await pace();
    }
  }
  return { asked, answersAnyone };
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
