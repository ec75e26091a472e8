// The ALS objective without visiting unobserved cells:
//   Σ_u [ Σ_{i observed} ((w₀ + e)(a − d)² − w₀d²) + x_uᵀ(w₀YᵀY)x_u + λ_u‖x_u − m_u‖² ] + Σ_i λ_i‖y_i − m_i‖²,   d = x_uᵀy_i, e = α·value.
// One float64 sum per fixed partition of rows, so that the total does not depend on the thread count.
// Reference: src/kernels/reference/als.ts. Called by src/kernels/als.ts.
import { dot } from "./simd";
import { symmetricProduct } from "./panel";

/** Partitions [begin, end) of users: sums[p] = the bracket above over its rows. `gram` = w₀YᵀY as panels. scratch: 1 row. */
export function alsLoss(
  begin: i32, end: i32, scratch: usize, offsets: usize, indices: usize, values: usize, goals: usize, goalBytes: usize, targets: usize,
  sources: usize, ridge: usize, priors: usize, unobservedWeight: f32, alpha: f32, factors: usize, gram: usize, numRows: usize,
  partitionSize: usize, sums: usize,
): void {
  const rowBytes = factors << 2, unobserved = <f64>unobservedWeight;
  for (let partition = <usize>begin; partition < <usize>end; partition++) {
    const lastRow = min<usize>((partition + 1) * partitionSize, numRows);
    let sum: f64 = 0;
    for (let row = partition * partitionSize; row < lastRow; row++) {
      const x = targets + row * rowBytes;
      symmetricProduct(gram, x, scratch, rowBytes);
      sum += <f64>dot(x, scratch, rowBytes) + ridgeTerm(x, ridge, priors, row, rowBytes);
      const last = <usize>load<i32>(offsets + (row << 2), 4);
      for (let entry = <usize>load<i32>(offsets + (row << 2)); entry < last; entry++) {
        const d = <f64>dot(sources + <usize>load<i32>(indices + (entry << 2)) * rowBytes, x, rowBytes);
        const extra = <f64>(alpha * load<f32>(values + (entry << 2)));
        const error = <f64>load<f32>(goals + entry * goalBytes) - d;
        sum += (unobserved + extra) * error * error - unobserved * d * d;
      }
    }
    store<f64>(sums + (partition << 3), sum);
  }
}

/** λ_r‖row_r − m_r‖² */
@inline function ridgeTerm(x: usize, ridge: usize, priors: usize, row: usize, rowBytes: usize): f64 {
  let squares = <f64>dot(x, x, rowBytes);
  if (priors) {
    const prior = priors + row * rowBytes;
    squares += <f64>dot(prior, prior, rowBytes) - 2 * <f64>dot(x, prior, rowBytes);
  }
  return <f64>load<f32>(ridge + (row << 2)) * squares;
}

/** Partitions [begin, end): sums[p] = Σ λ_r‖row_r − m_r‖² over its rows; `priors` = m by row, 0 for none. */
export function ridgeLoss(
  begin: i32, end: i32, scratch: usize, rows: usize, ridge: usize, priors: usize, factors: usize, numRows: usize, partitionSize: usize, sums: usize,
): void {
  const rowBytes = factors << 2;
  for (let partition = <usize>begin; partition < <usize>end; partition++) {
    const lastRow = min<usize>((partition + 1) * partitionSize, numRows);
    let sum: f64 = 0;
    for (let row = partition * partitionSize; row < lastRow; row++)
      sum += ridgeTerm(rows + row * rowBytes, ridge, priors, row, rowBytes);
    store<f64>(sums + (partition << 3), sum);
  }
}
