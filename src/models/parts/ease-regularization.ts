/**
 * The λ that ease and slim take when they are told "auto": in proportion to how many items an event stands beside.
 *   λ = 4 · Σ_u s_u² / Σ_u s_u,   s_u = Σ_i x_ui² (the length of u's history, where X is binary)
 * A user with s items adds s² cells to XᵀX, each of them weak evidence for one pair; the sum over an item's row of XᵀX is its
 * diagonal times the length of the histories it stands in. λ in units of that length keeps the same share of the diagonal from
 * being explained by chance, and grows with the square of the scale of X, as λ must. The factor 4 lies between the best values on
 * validation parts of MovieLens 100k (5.3) and Online Retail (1.4 to 3.5); on Beauty 3.6 did better than 18. replication/tune.mjs prints them.
 */
import type { Csr } from "../../core/interactions.js";

const PER_COMPANION = 4;

/** 0 for a matrix without pairs. */
export function autoEaseRegularization({ numRows, offsets, values }: Csr, binary: boolean): number {
  let sum = 0;
  let squares = 0;
  for (let user = 0; user < numRows; user++) {
    let size = offsets[user + 1] - offsets[user];
    if (!binary) {
      size = 0;
      for (let e = offsets[user]; e < offsets[user + 1]; e++) size += values[e] ** 2;
    }
    sum += size;
    squares += size * size;
  }
  return sum > 0 ? (PER_COMPANION * squares) / sum : 0;
}
