/**
 * An embedding table whose rows are sums: a row of their own plus the weighted rows of what is known of them (categories, words).
 *   row(i) = own(i) + Σ_f weight(i, f) · feature(f)
 * Gradients go to both; rows that share features learn from one another, which helps where events are few. Called by sasrec.
 */
import type { SparseTable } from "./sparse-table.js";
import { addRows, type Bags, gatherRows, sumBags } from "./table-rows.js";

/**
 * Trains `own` and `features` behind the face of one table; `values` are the sums, renewed after each step (cost: the whole table).
 * `bags`: one per row of `own`, over rows of `features`.
 */
export function createComposedTable(
  name: string,
  { own, features, bags }: { own: SparseTable; features: SparseTable; bags: Bags },
): SparseTable {
  const { numRows, dimensions } = own;
  const values = new Float32Array(numRows * dimensions);
  const compose = () => {
    sumBags(features.values, { ...bags, dimensions }, values);
    for (let k = 0; k < values.length; k++) values[k] += own.values[k];
  };
  compose();
  /** Gradient of all sums, not yet handed on. */
  let whole: Float32Array | undefined;
  const handOn = () => {
    if (!whole) return;
    features.addBagGradients(bags, whole);
    own.addDense(whole);
    whole = undefined;
  };
  return {
    name,
    numRows,
    dimensions,
    values,
    async prepare() {
      await Promise.all([own.prepare(), features.prepare()]);
    },
    gather: (rows, out) => gatherRows(values, { rows, dimensions }, out),
    addGradients(rows, gradients) {
      if (whole) {
        addRows(whole, { places: rows, dimensions }, gradients);
        return;
      }
      own.addGradients(rows, gradients);
      features.addBagGradients(bagsOf(bags, rows), gradients);
    },
    gatherBags(of, out) {
      sumBags(values, { ...of, dimensions }, out);
    },
    addBagGradients({ offsets, rows, weights }, gradients) {
      const spread = new Float32Array(rows.length * dimensions);
      for (let bag = 0; bag + 1 < offsets.length; bag++)
        for (let k = offsets[bag]; k < offsets[bag + 1]; k++)
          for (let d = 0; d < dimensions; d++) spread[k * dimensions + d] = weights[k] * gradients[bag * dimensions + d];
      this.addGradients(rows, spread);
    },
    addDense(gradient) {
      handOn();
      whole = gradient;
    },
    gradientSquares(kernels) {
      handOn();
      return own.gradientSquares(kernels) + features.gradientSquares(kernels);
    },
    step(options) {
      handOn();
      own.step(options);
      features.step(options);
      compose();
    },
    state: () => ({ [name]: { shape: [numRows, dimensions], data: values.slice() }, ...own.state(), ...features.state() }),
  };
}

/** The bags of some rows; none for a negative row. */
function bagsOf({ offsets, rows, weights }: Bags, wanted: Int32Array): Bags {
  const own: Bags = { offsets: new Int32Array(wanted.length + 1), rows, weights };
  wanted.forEach((row, k) => {
    own.offsets[k + 1] = own.offsets[k] + (row < 0 ? 0 : offsets[row + 1] - offsets[row]);
  });
  own.rows = new Int32Array(own.offsets[wanted.length]);
  own.weights = new Float32Array(own.rows.length);
  wanted.forEach((row, k) => {
    if (row < 0) return;
    own.rows.set(rows.subarray(offsets[row], offsets[row + 1]), own.offsets[k]);
    own.weights.set(weights.subarray(offsets[row], offsets[row + 1]), own.offsets[k]);
  });
  return own;
}
