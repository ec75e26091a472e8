/**
 * Nearest users: score(u, i) = Σ_{v among the K users most similar to u} similarity(u, v) · x_vi, x = weighted value.
 * Resnick et al. (1994), GroupLens; Herlocker et al. (1999) for shrinkage. Similarities: parts/similarity.ts, of users by their items.
 * The asker is a neighbour too, as any user of the same history is. A given history finds its neighbours at query time.
 */
import { z } from "zod";
import type { Csr } from "../core/interactions.js";
import type { FittedModel, ModelDefinition, Query } from "../core/model.js";
import { createPacer } from "../core/pacer.js";
import { transpose } from "../data/csr.js";
import { sparseNeighbours } from "../kernels/sparse-neighbours.js";
import { createRowSearch, type RowSearch, type SimilarRows } from "./parts/row-search.js";
import { savedFloat32, savedInt32, savedLength } from "./parts/saved-arrays.js";
import { type SimilarityProblem, similarities, similarityProblem, weightingOf, weightings } from "./parts/similarity.js";
import { historyRow } from "./parts/user-history.js";
import { bestWithSelf, explainByNeighbours, withoutSelf } from "./parts/user-neighbours.js";

const schema = z.strictObject({
  similarity: z.enum(similarities).default("tf-idf"),
  neighbours: z.int().min(1).max(100_000).default(100),
  shrinkage: z.number().min(0).default(0),
  alpha: z.number().min(0).max(2).default(0.5),
  weighting: z.enum(weightings).default("linear"),
});

export type UserKnnParams = z.output<typeof schema>;

export const userKnn: ModelDefinition<UserKnnParams> = {
  name: "user-knn",
  title: "Nearest users",
  reference: "Resnick, Iacovou, Suchak, Bergstrom & Riedl (1994), GroupLens: an open architecture for collaborative filtering of netnews",
  description: "What the users most similar to the asker have; folds in any history and explains every score.",
  task: "retrieve",
  params: schema,
  help: {
    similarity: { help: "How users are compared by their items: cosine, tf-idf, bm25, jaccard, or conditional." },
    neighbours: { help: "Most similar users that speak for a user.", range: [20, 1000], scale: "log" },
    shrinkage: { help: "Added to the denominator: lowers similarities that rest on few items. bm25 has its own damping.", range: [0, 100] },
    alpha: { help: "conditional only: how much users of many items are held back, 0 to 1.", range: [0, 1] },
    weighting: { help: "What a weight counts: 1, its logarithm, or the weight itself." },
  },
  complexity: 16,
  unsuited: ({ numInteractions, numUsers }) => (numInteractions < 1.5 * numUsers ? "users have hardly more than one item each" : undefined),

  async fit(train, params, { threads, signal, onProgress }) {
    const seen = train.matrixByUser();
    const problem = similarityProblem(seen, params);
    const others = await sparseNeighbours(problem.matrix, {
      count: params.neighbours,
      measure: problem.measure,
      threads,
      signal,
      onProgress: (done, total) => onProgress?.({ stage: "user-knn", done, total }),
    });
    return userKnnModel(params, { seen, problem, neighbours: bestWithSelf(others, problem.self, params.neighbours) });
  },

  restore({ params, numUsers, state, seen }) {
    const entries = savedLength(state, "neighbour_users");
    const neighbours = {
      numRows: numUsers,
      numColumns: numUsers,
      offsets: savedInt32(state, "neighbour_offsets", [numUsers + 1]),
      indices: savedInt32(state, "neighbour_users", [entries]),
      values: savedFloat32(state, "neighbour_similarities", [entries]),
    };
    return userKnnModel(params, { seen, problem: similarityProblem(seen, params), neighbours });
  },

  partialRefit: {
    how: "All pairs of users are counted again, in one pass over the events; a history given with the query needs no refit.",
    refit: ({ params }, train, context) => userKnn.fit(train, params as UserKnnParams, context),
  },
};

interface Parts {
  seen: Csr;
  problem: SimilarityProblem;
  /** The K nearest of every user, the user among them, best first. */
  neighbours: Csr;
}

function userKnnModel(params: UserKnnParams, { seen, problem, neighbours }: Parts): FittedModel {
  const { numRows: numUsers, numColumns: numItems } = seen;
  const weigh = weightingOf(params.weighting);
  let search: RowSearch | undefined;
  let items: { matrix: Csr; search: RowSearch } | undefined;

  const neighboursOf = (query: Query): SimilarRows => {
    if (query.history?.length) {
      search ??= createRowSearch(problem);
      return search(historyRow(query, seen), params.neighbours);
    }
    const user = query.userIndex ?? -1;
    const [from, to] = user >= 0 ? [neighbours.offsets[user], neighbours.offsets[user + 1]] : [0, 0];
    return { index: neighbours.indices.subarray(from, to), value: neighbours.values.subarray(from, to) };
  };

  return {
    name: "user-knn",
    params,
    numUsers,
    numItems,
    personal: true,

    async scoreAll(queries, out) {
      const pace = createPacer(undefined);
      const sums = new Float64Array(numItems);
      for (let q = 0; q < queries.length; q++) {
        await pace();
        const { index, value } = neighboursOf(queries[q]);
        sums.fill(0);
        for (let k = 0; k < index.length; k++) {
          const end = seen.offsets[index[k] + 1];
          for (let e = seen.offsets[index[k]]; e < end; e++) sums[seen.indices[e]] += value[k] * weigh(seen.values[e]);
        }
        out.set(sums, q * numItems);
      }
    },

    async explain(query, itemIndex) {
      return explainByNeighbours(neighboursOf(query), { row: historyRow(query, seen), itemIndex, seen, problem, weigh });
    },

    async similarUsers(userIndex, count) {
      return withoutSelf(neighboursOf({ userIndex }), userIndex, count);
    },

    /** Items by their users, compared by the measure that compares users by their items. */
    async similarItems(itemIndex, count) {
      if (!items) {
        const matrix = transpose(seen);
        items = { matrix, search: createRowSearch(similarityProblem(matrix, params)) };
      }
      const { offsets, indices, values } = items.matrix;
      const [from, to] = [offsets[itemIndex], offsets[itemIndex + 1]];
      const found = items.search({ indices: indices.subarray(from, to), weights: values.subarray(from, to) }, count + 1);
      return withoutSelf(found, itemIndex, count);
    },

    state: () => ({
      arrays: {
        neighbour_offsets: { shape: [numUsers + 1], data: neighbours.offsets },
        neighbour_users: { shape: [neighbours.indices.length], data: neighbours.indices },
        neighbour_similarities: { shape: [neighbours.values.length], data: neighbours.values },
      },
    }),
  };
}
