/**
 * Cholesky A = LLᵀ in float64 for matrices of up to a few thousand unknowns: explanations and feature embeddings of als.
 * Pivots that rounding has taken are dropped: their unknown becomes 0.
 */

/** Replaces the lower triangle of `a` (n × n, row-major) by L. */
export function factorizeInPlace(a: Float64Array, n: number): void {
  for (let i = 0; i < n; i++) {
    const rowI = i * n;
    const limit = a[rowI + i] * 1e-13;
    for (let j = 0; j <= i; j++) {
      const rowJ = j * n;
      let sum = a[rowI + j];
      for (let k = 0; k < j; k++) sum -= a[rowI + k] * a[rowJ + k];
      if (i === j) a[rowI + i] = sum > limit ? Math.sqrt(sum) : 0;
      else a[rowI + j] = a[rowJ + j] > 0 ? sum / a[rowJ + j] : 0;
    }
  }
}

/** Replaces `b` by x with LLᵀx = b. */
export function solveInPlace(l: Float64Array, n: number, b: Float64Array): void {
  for (let i = 0; i < n; i++) {
    let sum = b[i];
    for (let k = 0; k < i; k++) sum -= l[i * n + k] * b[k];
    b[i] = l[i * n + i] > 0 ? sum / l[i * n + i] : 0;
  }
  for (let i = n - 1; i >= 0; i--) {
    b[i] = l[i * n + i] > 0 ? b[i] / l[i * n + i] : 0;
    for (let k = 0; k < i; k++) b[k] -= l[i * n + k] * b[i];
  }
}
