/**
 * Plain twin of assembly/gram.ts: scale · Σ_r y_r y_rᵀ in float64. Called by tests and by reference/als.ts.
 */

/** factors × factors, row-major. */
export function referenceGram(rows: ArrayLike<number>, factors: number, scale: number): Float64Array {
  const gram = new Float64Array(factors * factors);
  const numRows = rows.length / factors;
  for (let row = 0; row < numRows; row++)
    for (let i = 0; i < factors; i++)
      for (let j = 0; j < factors; j++) gram[i * factors + j] += scale * rows[row * factors + i] * rows[row * factors + j];
  return gram;
}
