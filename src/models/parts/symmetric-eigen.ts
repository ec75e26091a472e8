/**
 * Eigenvectors of a small dense symmetric matrix by cyclic Jacobi rotations in float64 (Golub & Van Loan, Matrix computations, § 8.5).
 * O(n³) a sweep, about eight sweeps. Called by singular-vectors.ts.
 */

/** All eigenvectors as rows, n × n, largest eigenvalue first; vectors of eigenvalues that are nothing beside the largest are 0. */
export async function largestEigenvectors(matrix: Float64Array, n: number, pace: () => Promise<void>): Promise<Float64Array> {
  const a = matrix.slice();
  const rows = new Float64Array(n * n);
  for (let k = 0; k < n; k++) rows[k * n + k] = 1;
  let size = 0;
  for (const value of a) size += value * value;
  for (let sweep = 0; sweep < 30; sweep++) {
    let off = 0;
    for (let p = 0; p < n; p++) for (let q = 0; q < p; q++) off += a[p * n + q] ** 2;
    if (off <= 1e-26 * size) break;
    for (let p = 0; p < n - 1; p++) {
      await pace();
      for (let q = p + 1; q < n; q++) rotate(a, rows, { n, p, q });
    }
  }
  const order = Array.from({ length: n }, (_, k) => k).sort((x, y) => a[y * n + y] - a[x * n + x] || x - y);
  const out = new Float64Array(n * n);
  const least = 1e-12 * Math.max(0, ...order.slice(0, 1).map((k) => a[k * n + k]));
  order.forEach((from, to) => {
    if (a[from * n + from] > least) out.set(rows.subarray(from * n, from * n + n), to * n);
  });
  return out;
}

/** Makes a[p, q] zero by turning rows and columns p and q; `rows` turns along. */
function rotate(a: Float64Array, rows: Float64Array, { n, p, q }: { n: number; p: number; q: number }): void {
  const apq = a[p * n + q];
  if (apq === 0) return;
  const theta = (a[q * n + q] - a[p * n + p]) / (2 * apq);
  const t = Math.sign(theta || 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  turn(a, p * n, q * n, { n, c, s });
  for (let k = 0; k < n * n; k += n) {
    const x = a[k + p];
    const y = a[k + q];
    a[k + p] = c * x - s * y;
    a[k + q] = s * x + c * y;
  }
  turn(rows, p * n, q * n, { n, c, s });
}

function turn(values: Float64Array, p: number, q: number, { n, c, s }: { n: number; c: number; s: number }): void {
  for (let k = 0; k < n; k++) {
    const x = values[p + k];
    const y = values[q + k];
    values[p + k] = c * x - s * y;
    values[q + k] = s * x + c * y;
  }
}
