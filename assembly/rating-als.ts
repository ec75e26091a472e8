// Alternating least squares on observed ratings (Zhou et al. 2008), one side with its biases, per row exactly:
//   min over (x, b) of Σ_e (r_e − b_e − b − xᵀy_e)² + λ(‖x‖² + b²) over the row's entries; b_e, y_e belong to the other side.
// The bias is one more unknown beside the factors, its regressor 1. Pivots lost to rounding give 0, as in als-cholesky.ts.
// Reference: src/kernels/reference/rating-als.ts. Called by src/kernels/rating-als.ts.
import { factorize, solve } from "./als-cholesky";
import { addOuterProducts } from "./gram";
import { axpy, dot } from "./simd";

/**
 * Rows [begin, end). `ridge` = λ by row; rows are `factors` long (a multiple of 16) of which `used` < factors count, the rest is 0.
 * scratch: factors rows (A), 4 rows (b, pivot inverses, pivot limits, solution), 64 rows (regressors).
 */
export function ratingAls(
  begin: i32, end: i32, scratch: usize, offsets: usize, indices: usize, values: usize, targets: usize, targetBias: usize,
  sources: usize, sourceBias: usize, ridge: usize, factors: usize, used: usize,
): void {
  const rowBytes = factors << 2, matrixBytes = factors * rowBytes;
  const matrix = scratch, rightSide = matrix + matrixBytes, inverses = rightSide + rowBytes, limits = inverses + rowBytes;
  const solution = limits + rowBytes, rows = solution + rowBytes;
  for (let row = <usize>begin; row < <usize>end; row++) {
    const x = targets + row * rowBytes, at = row << 2;
    const first = <usize>load<i32>(offsets + at), last = <usize>load<i32>(offsets + at, 4);
    memory.fill(x, 0, rowBytes);
    store<f32>(targetBias + at, 0);
    if (first == last) continue;
    memory.fill(matrix, 0, matrixBytes + rowBytes);
    for (let entry = first; entry < last; entry += 64) {
      const count = min<usize>(64, last - entry);
      for (let k: usize = 0; k < count; k++) {
        const other = <usize>load<i32>(indices + ((entry + k) << 2)), regressors = rows + k * rowBytes;
        memory.copy(regressors, sources + other * rowBytes, rowBytes);
        store<f32>(regressors + (used << 2), 1);
        axpy(load<f32>(values + ((entry + k) << 2)) - load<f32>(sourceBias + (other << 2)), regressors, rightSide, rowBytes);
      }
      addOuterProducts(rows, count, factors, matrix);
    }
    const lambda = load<f32>(ridge + at);
    for (let k: usize = 0; k < factors; k++) {
      const cell = matrix + k * (rowBytes + 4), pivot: f32 = k <= used ? load<f32>(cell) + lambda : 1;
      store<f32>(cell, pivot);
      store<f32>(limits + (k << 2), pivot * 1e-7);
    }
    factorize(matrix, factors, inverses, limits);
    solve(matrix, rightSide, solution, factors, inverses);
    memory.copy(x, solution, used << 2);
    store<f32>(targetBias + at, load<f32>(solution + (used << 2)));
  }
}

/** Partitions [begin, end) of `size` rows: sums[p] = Σ e² over their entries. */
export function ratingErrors(
  begin: i32, end: i32, scratch: usize, offsets: usize, indices: usize, values: usize, rows: usize, rowBias: usize,
  others: usize, otherBias: usize, factors: usize, numRows: usize, size: usize, sums: usize,
): void {
  const rowBytes = factors << 2;
  for (let partition = <usize>begin; partition < <usize>end; partition++) {
    const stop = min<usize>((partition + 1) * size, numRows);
    let squares: f64 = 0;
    for (let row = partition * size; row < stop; row++) {
      const last = <usize>load<i32>(offsets + (row << 2), 4), bias = load<f32>(rowBias + (row << 2));
      for (let entry = <usize>load<i32>(offsets + (row << 2)); entry < last; entry++) {
        const other = <usize>load<i32>(indices + (entry << 2));
        const error = load<f32>(values + (entry << 2)) - (bias + load<f32>(otherBias + (other << 2)) + dot(rows + row * rowBytes, others + other * rowBytes, rowBytes));
        squares += <f64>error * <f64>error;
      }
    }
    store<f64>(sums + (partition << 3), squares);
  }
}
