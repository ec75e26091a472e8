/**
 * Which items compete in a list and which cases count: everything (the default), a sample of others as some papers do, or only cold
 * users or items. Anything but the full ranking is named in the labels of its results. Sampled figures are not comparable with full ones
 * and may order models differently: Krichene & Rendle (2020), On sampled metrics for item recommendation.
 */
import { ConfigError } from "../core/errors.js";
import { nameHint } from "../core/nearest-names.js";
import { createRandom } from "../core/random.js";
import { excludedLists } from "../ranking/excluded-lists.js";
import type { Recommender } from "../ranking/recommender.js";
import type { EvaluationCase } from "./cases.js";
import { createItemSampler } from "./sample-items.js";

export type CandidatePolicy =
  /** All items that may be recommended. */
  | { policy: "full" }
  /** The relevant items and `negatives` others per case, neither relevant nor excluded; `by` training events or all alike (default). */
  | { policy: "sampled"; negatives: number; by?: "uniform" | "popularity"; seed?: number }
  /** Cases of users without a training event and without history; all items. */
  | { policy: "cold-users" }
  /** Items without a training event, as candidates and as relevant items. */
  | { policy: "cold-items" };

export interface RankedBlock {
  /** Places per list. */
  topK: number;
  /** Row-major, padded with −1. */
  itemIndex: Int32Array;
  score: Float32Array;
}

export interface CandidateSet {
  /** Ends every label of the results. */
  suffix: string;
  /** Lists are complete whatever `topK`. */
  complete: boolean;
  /** The part of a case that counts; undefined leaves it out. */
  select(one: EvaluationCase): EvaluationCase | undefined;
  rank(block: readonly EvaluationCase[], topK: number): Promise<RankedBlock>;
}

export interface RankSettings {
  excludeSeen: boolean;
  signal: AbortSignal | undefined;
}

/** Throws ConfigError on an unknown policy and a wrong number of negatives. */
export function createCandidateSet(model: Recommender, candidates: CandidatePolicy, settings: RankSettings): CandidateSet {
  const rank = (block: readonly EvaluationCase[], topK: number, include?: number[]) =>
    model.recommendBatch(
      block.map(({ query }) => query),
      { ...settings, topK, include },
    );
  const select = (one: EvaluationCase) => one;
  switch (candidates.policy) {
    case "full":
      return { suffix: "", complete: false, select, rank };
    case "cold-users":
      return { suffix: " (cold users)", complete: false, select: (one) => (isCold(model, one) ? one : undefined), rank };
    case "cold-items": {
      const isNew = (item: number) => model.popularity[item] === 0;
      const include = Array.from(model.popularity.keys()).filter(isNew);
      return {
        suffix: " (cold items)",
        complete: false,
        select: (one) => ({ ...one, relevant: Array.from(one.relevant).filter(isNew) }),
        rank: (block, topK) => rank(block, topK, include),
      };
    }
    case "sampled":
      return { ...sampled(model, candidates, settings), complete: true, select };
    default: {
      const policies = ["full", "sampled", "cold-users", "cold-items"];
      const got = String((candidates as { policy: unknown }).policy);
      throw new ConfigError(`There is no candidate policy ${JSON.stringify(got)}.`, {
        hint: nameHint(got, policies),
        details: { path: "candidates.policy", got, allowed: policies },
      });
    }
  }
}

function isCold({ seen }: Recommender, { query: { userIndex = -1, history } }: EvaluationCase): boolean {
  return !history?.length && (userIndex < 0 || seen.offsets[userIndex] === seen.offsets[userIndex + 1]);
}

function sampled(
  model: Recommender,
  { negatives, by = "uniform", seed = 42 }: Extract<CandidatePolicy, { policy: "sampled" }>,
  settings: RankSettings,
): Pick<CandidateSet, "suffix" | "rank"> {
  if (!(Number.isInteger(negatives) && negatives >= 1)) {
    throw new ConfigError(`candidates.negatives is ${negatives}.`, {
      hint: "Ask for a whole number of sampled items per case, 1 or more.",
      details: { path: "candidates.negatives", got: negatives },
    });
  }
  const sampler = createItemSampler(model.numItems, by === "popularity" ? model.popularity : undefined, createRandom(seed));
  return {
    suffix: ` (${negatives} sampled${by === "popularity" ? " by popularity" : ""})`,
    async rank(block) {
      const excluded = excludedLists(
        block.map(({ query }) => query),
        { seen: settings.excludeSeen ? model.seen : undefined, exclude: new Int32Array(0) },
      );
      const lists = [];
      for (const [q, { query, relevant }] of block.entries()) {
        const blocked = new Set(excluded.indices.subarray(excluded.offsets[q], excluded.offsets[q + 1]));
        for (let i = 0; i < relevant.length; i++) blocked.add(relevant[i]);
        const include = [...new Set(Array.from(relevant)), ...sampler.draw(negatives, blocked)];
        lists.push(await model.recommend(query, { ...settings, topK: include.length, include }));
      }
      return padded(lists);
    },
  };
}

function padded(lists: readonly { itemIndex: Int32Array; score: Float32Array }[]): RankedBlock {
  const topK = Math.max(1, ...lists.map(({ itemIndex }) => itemIndex.length));
  const itemIndex = new Int32Array(lists.length * topK).fill(-1);
  const score = new Float32Array(lists.length * topK).fill(-Infinity);
  lists.forEach((list, q) => {
    itemIndex.set(list.itemIndex, q * topK);
    score.set(list.score, q * topK);
  });
  return { topK, itemIndex, score };
}
