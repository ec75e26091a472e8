/**
 * Lists in two stages: the first model's best allowed items (seen, excluded and not included ones are out before the cut), ordered anew
 * by the second. What lies beyond the cut follows in the first model's order, its scores moved below the others.
 */
import { throwIfCancelled } from "../core/errors.js";
import type { FittedModel, Stages } from "../core/model.js";
import { checkScores } from "./check-scores.js";
import type { Ranker } from "./ranker.js";

/** `retriever`: the ranker of `stages.retriever`. */
export function stagedRanker(model: FittedModel, { count, rescore }: Stages, retriever: Ranker): Ranker {
  return {
    blockSize: retriever.blockSize,
    dispose: () => retriever.dispose(),
    async rank(queries, options) {
      const { topK, signal } = options;
      const width = Math.min(model.numItems, Math.max(topK, count));
      const first = await retriever.rank(queries, { ...options, topK: width });
      const itemIndex = new Int32Array(queries.length * topK).fill(-1);
      const score = new Float32Array(queries.length * topK).fill(-Infinity);
      for (let q = 0; q < queries.length; q++) {
        throwIfCancelled(signal);
        const items = first.itemIndex.subarray(q * width, (q + 1) * width);
        const size = items.indexOf(-1) < 0 ? width : items.indexOf(-1);
        const scores = first.score.slice(q * width, q * width + size);
        const found = items.slice(0, size);
        await scoreStages({ count, rescore, query: queries[q] }, found, scores);
        checkScores(scores, [queries[q]], model);
        const order = Int32Array.from(found.keys()).sort((a, b) => scores[b] - scores[a] || found[a] - found[b]);
        for (let place = 0; place < Math.min(topK, size); place++) {
          itemIndex[q * topK + place] = found[order[place]];
          score[q * topK + place] = scores[order[place]];
        }
      }
      return { itemIndex, score };
    },
  };
}

/**
 * From the first model's scores to both's, in place. `items`: its best, best first; `scores`: theirs. The first `count` get new scores,
 * the others keep their order below them.
 */
export async function scoreStages(
  { count, rescore, query }: Pick<Stages, "count" | "rescore"> & { query: Parameters<Stages["rescore"]>[0] },
  items: Int32Array,
  scores: Float32Array,
): Promise<void> {
  const cut = Math.min(count, items.length);
  if (cut === 0) return;
  const anew = await rescore(query, items.slice(0, cut), scores.slice(0, cut));
  let lowest = Infinity;
  for (const score of anew) lowest = Math.min(lowest, score);
  const below = lowest - 1e-3 * Math.max(1, Math.abs(lowest));
  const best = scores[cut];
  for (let k = cut; k < scores.length; k++) scores[k] = below + (scores[k] - best);
  scores.set(anew);
}
