/**
 * Lists of another system, judged by the same code as our models: rows of (user, item, score or rank) become one list per
 * user and answer as a `Recommender` does, so metrics, ties and the treatment of seen items are the same.
 * Called by `service/evaluation/ranked-lists.ts` and library users.
 */
import { ConfigError } from "../core/errors.js";
import type { Csr, IdMap, Interactions } from "../core/interactions.js";
import type { FittedModel, Query } from "../core/model.js";
import { numberedIds } from "../data/id-map.js";
import { excludedLists, isExcluded } from "../ranking/excluded-lists.js";
import type { Recommendation, Recommender, RecommendOptions } from "../ranking/recommender.js";
import { type EvaluateOptions, type EvaluationCase, evaluateCases } from "./evaluate.js";

/** One list per user, best first. */
export interface UserLists {
  numUsers: number;
  numItems: number;
  /** The list of user u stands at [offsets[u], offsets[u + 1]). */
  offsets: Int32Array;
  itemIndex: Int32Array;
  /** Minus the number of distinct better scores: equal exactly where the given scores are. */
  score: Float32Array;
  /** Rows left out because the user's list has the item at a better place. */
  numDuplicates: number;
}

export interface ListRows {
  /** Rows of an index outside the known users or items (−1) are left out; count them before. */
  userIndex: ArrayLike<number>;
  itemIndex: ArrayLike<number>;
  /** Higher is better. Either this or `rank`. */
  score?: ArrayLike<number>;
  /** Lower is better. */
  rank?: ArrayLike<number>;
  numUsers: number;
  numItems: number;
}

/**
 * Lists from rows in any order; equal scores by ascending item index, as everywhere. O(rows · log of a list's length).
 * Throws ConfigError unless exactly one of score and rank is given, and when one is not a number.
 */
export function userLists({ userIndex, itemIndex, score, rank, numUsers, numItems }: ListRows): UserLists {
  const better = score ?? rank;
  if (!better || (score && rank))
    throw new ConfigError("Ranked lists have either scores or ranks.", {
      hint: "Give score (higher is better) or rank (lower is better).",
    });
  const key = Float64Array.from(better, (value) => (score ? -value : value));
  const bad = key.findIndex((value) => Number.isNaN(value));
  if (bad >= 0)
    throw new ConfigError(`The ${score ? "score" : "rank"} of row ${bad} is no number.`, {
      hint: "Leave such rows out.",
      details: { line: bad },
    });
  const known = (row: number) => userIndex[row] >= 0 && userIndex[row] < numUsers && itemIndex[row] >= 0 && itemIndex[row] < numItems;
  const starts = new Int32Array(numUsers + 1);
  for (let row = 0; row < key.length; row++) if (known(row)) starts[userIndex[row] + 1]++;
  for (let user = 0; user < numUsers; user++) starts[user + 1] += starts[user];
  const rows = new Int32Array(starts[numUsers]);
  const next = starts.slice();
  for (let row = 0; row < key.length; row++) if (known(row)) rows[next[userIndex[row]]++] = row;
  const lists = { offsets: new Int32Array(numUsers + 1), itemIndex: new Int32Array(rows.length), score: new Float32Array(rows.length) };
  let end = 0;
  for (let user = 0; user < numUsers; user++) {
    const own = rows.subarray(starts[user], starts[user + 1]).sort((a, b) => key[a] - key[b] || itemIndex[a] - itemIndex[b]);
    const listed = new Set<number>();
    let group = 0;
    for (let place = 0; place < own.length; place++) {
      if (place > 0 && key[own[place]] > key[own[place - 1]]) group++;
      const item = itemIndex[own[place]];
      if (listed.has(item)) continue;
      listed.add(item);
      lists.itemIndex[end] = item;
      lists.score[end++] = -group;
    }
    lists.offsets[user + 1] = end;
  }
  return {
    numUsers,
    numItems,
    offsets: lists.offsets,
    itemIndex: lists.itemIndex.slice(0, end),
    score: lists.score.slice(0, end),
    numDuplicates: rows.length - end,
  };
}

export interface ListsContext {
  name?: string;
  users?: IdMap;
  items?: IdMap;
  /** What the other system learned from: its items are left out with `excludeSeen`, and metrics of novelty look at it. Default: nothing. */
  train?: Interactions;
}

/** Lists that answer as a model does: users without a list, and queries without a userIndex, get an empty answer. */
export function recommenderOfLists(lists: UserLists, { name = "ranked lists", users, items, train }: ListsContext = {}): Recommender {
  const { numUsers, numItems, offsets, itemIndex, score } = lists;
  const seen: Csr = train?.matrixByUser() ?? {
    numRows: numUsers,
    numColumns: numItems,
    offsets: new Int32Array(numUsers + 1),
    indices: new Int32Array(0),
    values: new Float32Array(0),
  };
  const popularity = new Float32Array(numItems);
  for (const item of train?.itemIndex ?? []) popularity[item]++;

  const answer = (query: Query, { topK = 10, excludeSeen = true, include, exclude = [] }: RecommendOptions = {}): Recommendation => {
    const user = query.userIndex ?? -1;
    const excluded = excludedLists([query], { seen: excludeSeen ? seen : undefined, exclude: Int32Array.from(exclude) });
    const allowed = include && new Set(Array.from(include));
    const places: number[] = [];
    for (let e = user < 0 ? 0 : offsets[user]; e < (user < 0 ? 0 : offsets[user + 1]) && places.length < topK; e++)
      if (!isExcluded(excluded, 0, itemIndex[e]) && (!allowed || allowed.has(itemIndex[e]))) places.push(e);
    return { itemIndex: Int32Array.from(places, (e) => itemIndex[e]), score: Float32Array.from(places, (e) => score[e]), source: name };
  };

  const listsOnly = (what: string): never => {
    throw new ConfigError(`${name} are lists for users; they know no ${what}.`, { hint: "Ask the model that made them." });
  };
  return {
    name,
    params: {},
    numUsers,
    numItems,
    users: users ?? train?.users ?? numberedIds(numUsers),
    items: items ?? train?.items ?? numberedIds(numItems),
    fitted: fittedLists(name, lists),
    seen,
    popularity,
    isCold: () => false,
    recommend: async (query, options) => answer(query, options),
    async recommendBatch(queries, options) {
      const topK = Math.min(options?.topK ?? 10, Math.max(1, numItems));
      const out = new Int32Array(queries.length * topK).fill(-1);
      const scores = new Float32Array(queries.length * topK).fill(-Infinity);
      for (let q = 0; q < queries.length; q++) {
        const entry = queries[q];
        const list = answer(typeof entry === "number" ? { userIndex: entry } : entry, { ...options, topK });
        out.set(list.itemIndex, q * topK);
        scores.set(list.score, q * topK);
      }
      return { topK, itemIndex: out, score: scores, fallback: new Uint8Array(queries.length) };
    },
    similarItems: async () => listsOnly("similar items"),
    similarUsers: async () => listsOnly("similar users"),
    explain: async () => listsOnly("reasons"),
    setApproximateIndex: () => listsOnly("item vectors"),
    dispose() {},
  };
}

function fittedLists(name: string, { numUsers, numItems, offsets, itemIndex, score }: UserLists): FittedModel {
  return {
    name,
    params: {},
    numUsers,
    numItems,
    personal: true,
    async scoreAll(queries, out) {
      out.fill(-Infinity, 0, queries.length * numItems);
      queries.forEach(({ userIndex = -1 }, q) => {
        if (userIndex >= 0) for (let e = offsets[userIndex]; e < offsets[userIndex + 1]; e++) out[q * numItems + itemIndex[e]] = score[e];
      });
    },
    state: () => ({ arrays: {} }),
  };
}

export interface ListsEvaluation {
  /** By metric label. */
  values: Record<string, number>;
  numCases: number;
  /** Cases whose user has no list: each counts as an empty list, so as 0. */
  numWithoutList: number;
}

/** Judges lists on cases by `evaluateCases`: the same metrics, ties rule and errors as for a model. */
export async function evaluateLists(
  lists: UserLists,
  cases: readonly EvaluationCase[],
  { train, ...options }: EvaluateOptions & Pick<ListsContext, "train"> = {},
): Promise<ListsEvaluation> {
  const values = await evaluateCases(recommenderOfLists(lists, { train }), cases, options);
  const judged = cases.filter(({ relevant }) => relevant.length > 0);
  return { values, numCases: judged.length, numWithoutList: judged.filter(({ query }) => !hasList(lists, query)).length };
}

/** Whether the asker has a list with at least one item. */
export function hasList({ offsets }: UserLists, { userIndex = -1 }: Query): boolean {
  return userIndex >= 0 && offsets[userIndex + 1] > offsets[userIndex];
}
