/**
 * The answer for queries that the model knows nothing about: items by training events, equal counts by ascending index.
 * The order is made once, on first use; a list then costs O(topK + what is left out), whatever the size of the catalogue.
 */
import { containsSorted, type ExcludedLists, isExcluded } from "./excluded-lists.js";
import type { RankedLists } from "./ranker.js";

export interface PopularityFallback {
  /** Fills list `q` of `lists`; unused places stay as they are. */
  rank(lists: RankedLists, q: number, options: { topK: number; include?: Int32Array; excluded: ExcludedLists }): void;
}

/** `popularity`: training events per item. */
export function createPopularityFallback(popularity: Float32Array): PopularityFallback {
  let order: Int32Array | undefined;
  return {
    rank(lists, q, { topK, include, excluded }) {
      order ??= Int32Array.from(popularity, (_, item) => item).sort((a, b) => popularity[b] - popularity[a] || a - b);
      let place = q * topK;
      for (let o = 0; o < order.length && place < (q + 1) * topK; o++) {
        const item = order[o];
        if (isExcluded(excluded, q, item) || (include && !containsSorted(include, item))) continue;
        lists.itemIndex[place] = item;
        lists.score[place++] = popularity[item];
      }
    },
  };
}
