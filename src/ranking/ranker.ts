/** What ranks questions, and its lists. Made by rankers.ts, staged.ts and approximate.ts. */
import type { Query } from "../core/model.js";
import type { ExcludedLists } from "./excluded-lists.js";

export interface RankOptions {
  topK: number;
  excluded: ExcludedLists;
  /** Ascending distinct items: only these may appear. */
  include?: Int32Array;
  signal?: AbortSignal;
}

/** n × topK, row-major, padded with −1 / −Infinity. */
export interface RankedLists {
  itemIndex: Int32Array;
  score: Float32Array;
}

export interface Ranker {
  /** Queries answered in one call; larger batches are cut into such blocks, which bounds memory. */
  readonly blockSize: number;
  rank(queries: readonly Query[], options: RankOptions): Promise<RankedLists>;
  dispose(): void;
}

export function emptyLists(numQueries: number, topK: number): RankedLists {
  return { itemIndex: new Int32Array(numQueries * topK).fill(-1), score: new Float32Array(numQueries * topK).fill(-Infinity) };
}
