/**
 * The order in which a list is judged: as recommended, but relevant items stand behind all others of their score, those that count
 * more behind those that count less. Ties bring no luck. Called by `judge.ts`.
 */

export interface JudgedOrder {
  /** Filled over its whole length: gain at each place, 0 past the list's end. */
  gains: Int32Array;
  /** Same length: the item at each place, −1 past the list's end. */
  ranked: Int32Array;
}

/** Places of `items` that are filled; the rest holds −1. */
export function listLength(items: Int32Array): number {
  let length = items.length;
  while (length > 0 && items[length - 1] < 0) length--;
  return length;
}

/** `items` and `scores` best first, without padding; gainOf by item. */
export function orderPessimistically(items: Int32Array, scores: Float32Array, gainOf: Int32Array, { gains, ranked }: JudgedOrder): void {
  const depth = gains.length;
  let place = 0;
  for (let start = 0, end = 0; start < items.length && place < depth; start = end) {
    const first = place;
    for (end = start; end < items.length && scores[end] === scores[start]; end++) {
      if (gainOf[items[end]] > 0 || place === depth) continue;
      gains[place] = 0;
      ranked[place++] = items[end];
    }
    if (place - first < end - start && place < depth) {
      for (const item of relevantOf(items.subarray(start, end), gainOf)) {
        if (place === depth) break;
        gains[place] = gainOf[item];
        ranked[place++] = item;
      }
    }
  }
  gains.fill(0, place);
  ranked.fill(-1, place);
}

function relevantOf(items: Int32Array, gainOf: Int32Array): Int32Array {
  const relevant = items.filter((item) => gainOf[item] > 0);
  return relevant.length > 1 ? relevant.sort((a, b) => gainOf[a] - gainOf[b] || a - b) : relevant;
}

/**
 * Whether places within `depth` depend on items beyond the list: a tie runs across the cut and holds a relevant item.
 * The list has at least depth + 1 places when more items could follow.
 */
export function isUndecided(items: Int32Array, scores: Float32Array, depth: number, gainOf: Int32Array): boolean {
  if (items.length <= depth || scores[depth] !== scores[depth - 1]) return false;
  for (let r = depth - 1; r >= 0 && scores[r] === scores[depth]; r--) if (gainOf[items[r]] > 0) return true;
  return false;
}
