/**
 * Plain twin of assembly/symmetric-inverse.ts: the inverse of a symmetric positive definite matrix by sweeps in float64, without tiles.
 * Called by tests and by reference/ease.ts.
 */

/** A⁻¹, row-major. */
export function referenceInverse(matrix: ArrayLike<number>, size: number): Float64Array {
  const swept = Float64Array.from(matrix);
  for (let p = 0; p < size; p++) {
    const row = swept.slice(p * size, (p + 1) * size);
    const pivot = row[p];
    for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) if (i !== p && j !== p) swept[i * size + j] -= (row[i] * row[j]) / pivot;
    for (let i = 0; i < size; i++) swept[i * size + p] = swept[p * size + i] = row[i] / pivot;
    swept[p * size + p] = -1 / pivot;
  }
  return swept.map((value) => -value);
}
