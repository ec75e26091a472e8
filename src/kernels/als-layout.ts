/**
 * How ALS data lie in kernel memory: factor rows padded with zeros to a multiple of 16, and λ by row.
 * Called by als.ts and als-fold-in.ts.
 */

/** Row length in kernel memory: the next multiple of 16 (64 bytes). */
export function paddedFactors(factors: number): number {
  return Math.ceil(factors / 16) * 16;
}

/** Writes rows × factors into rows × paddedFactors; the padding is left as it is (zero in fresh memory). */
export function writePaddedRows(target: Float32Array, source: Float32Array, numRows: number, factors: number): void {
  const stride = paddedFactors(factors);
  if (stride === factors) target.set(source);
  else for (let row = 0; row < numRows; row++) target.set(source.subarray(row * factors, (row + 1) * factors), row * stride);
}

/** Rows without their padding, as a copy. */
export function unpadRows(source: Float32Array, numRows: number, factors: number): Float32Array<ArrayBuffer> {
  const stride = paddedFactors(factors);
  const out = new Float32Array(numRows * factors);
  if (stride === factors) out.set(source);
  else for (let row = 0; row < numRows; row++) out.set(source.subarray(row * stride, row * stride + factors), row * factors);
  return out;
}

/** λ_r = regularization · (#r + unobservedWeight · numColumns)^regularizationExponent for each row of a CSR. */
export function ridgeByRow(
  offsets: Int32Array,
  numColumns: number,
  problem: { unobservedWeight: number; regularization: number; regularizationExponent: number },
): Float32Array {
  const { unobservedWeight, regularization, regularizationExponent } = problem;
  return Float32Array.from(
    { length: offsets.length - 1 },
    (_, row) => regularization * (offsets[row + 1] - offsets[row] + unobservedWeight * numColumns) ** regularizationExponent,
  );
}
