/**
 * An embedding table outside the graph: rows of a batch are gathered, their gradients added up per row and applied by lazy Adam,
 * Adagrad or SGD to those rows only, so that a step costs what the batch touches, however large the table is.
 * Lazy: moments of a row stand still while the row is not touched.
 */
import type { ModelState } from "../core/model.js";
import type { Random } from "../core/random.js";
import { type OptimizerKernels, plainKernels } from "../kernels/optimizer.js";
import { createRowSums, type RowSums } from "../kernels/row-sums.js";
import { type RangeUpdate, rangeUpdate, type StepOptions, type Updatable } from "./optimizers.js";
import { addRows, type Bags, gatherRows, sumBags } from "./table-rows.js";

export interface SparseTable {
  readonly name: string;
  readonly numRows: number;
  readonly dimensions: number;
  /** numRows × dimensions, row-major. */
  readonly values: Float32Array;
  /** Loads the kernel that adds up gradients of rows; without it they are added in TypeScript, to the same bits. */
  prepare(): Promise<void>;
  /** Writes the rows into `out`, rows.length × dimensions; a negative row gives zeros. */
  gather(rows: Int32Array, out: Float32Array): void;
  /** Adds gradients of rows (rows.length × dimensions); the same row may come several times, a negative one is dropped. */
  addGradients(rows: Int32Array, gradients: Float32Array): void;
  /** Writes Σ weight · row of each bag into `out`, bags × dimensions. */
  gatherBags(bags: Bags, out: Float32Array): void;
  /** Adds gradients of such sums (bags × dimensions). */
  addBagGradients(bags: Bags, gradients: Float32Array): void;
  /**
   * Adds a gradient of the whole table: every row counts as touched. The array is not copied: what is added later goes into it, so that
   * it may be overwritten after `step` only.
   */
  addDense(gradient: Float32Array): void;
  /** Σ of squares of the gradients held, for clipping. */
  gradientSquares(kernels?: OptimizerKernels): number;
  /** Applies and forgets the gradients held. */
  step(options: StepOptions): void;
  state(): ModelState["arrays"];
}

export interface SparseTableOptions {
  numRows: number;
  dimensions: number;
  /** Standard deviation of the normal start. */
  deviation: number;
  random: Random;
  /** Values and moments of an earlier `state()`, under the same name. */
  saved?: ModelState["arrays"];
  name: string;
}

/** Values of the touched rows that kernel memory holds: 8 MiB. */
const MOST_SUMS = 2 ** 21;

export function createSparseTable({ numRows, dimensions, deviation, random, saved, name }: SparseTableOptions): SparseTable {
  const size = numRows * dimensions;
  const array = (suffix: string) => saved?.[`${name}${suffix}`]?.data as Float32Array | undefined;
  const values = array("")?.slice() ?? new Float32Array(size).map(() => deviation * random.normal());
  const first = array(".first")?.slice() ?? new Float32Array(size);
  const second = array(".second")?.slice() ?? new Float32Array(size);
  /** Place of a row among the touched ones, −1 for none. */
  const placeOf = new Int32Array(numRows).fill(-1);
  let touched = new Int32Array(1024);
  let sums: Float32Array = new Float32Array(1024 * dimensions);
  let numTouched = 0;
  /** While it holds `sums`: until more rows are touched than it has room for. */
  let rowSums: RowSums | undefined;
  let places = new Int32Array(0);
  /** Gradient of the whole table; the touched rows are empty when there is one. */
  let whole: Float32Array | undefined;

  const place = (row: number): number => {
    if (placeOf[row] >= 0) return placeOf[row];
    if (numTouched === touched.length) {
      const [moreRows, moreSums] = [new Int32Array(2 * numTouched), new Float32Array(2 * sums.length)];
      moreRows.set(touched);
      moreSums.set(sums);
      [touched, sums] = [moreRows, moreSums];
    }
    touched[numTouched] = row;
    sums.fill(0, numTouched * dimensions, (numTouched + 1) * dimensions);
    placeOf[row] = numTouched;
    return numTouched++;
  };
  const addRow = (row: number, gradients: Float32Array, from: number, weight: number) => {
    const to = (whole ? row : place(row)) * dimensions; // first of all: `sums` may grow
    const held = whole ?? sums;
    for (let d = 0; d < dimensions; d++) held[to + d] += weight * gradients[from + d];
  };
  let ordered = new Float32Array(0);
  /** Steps of rows that follow one another are one range: where most rows were touched, their sums are put in order first. */
  const stepInOrder = (apply: RangeUpdate, table: Updatable) => {
    if (ordered.length < sums.length) ordered = new Float32Array(sums.length);
    for (let row = 0, count = 0; row <= numRows; row++) {
      if (row < numRows && placeOf[row] >= 0) {
        const from = placeOf[row] * dimensions;
        for (let d = 0, to = count * dimensions; d < dimensions; d++) ordered[to + d] = sums[from + d];
        count++;
      } else if (count > 0) {
        apply(table, ordered, { at: (row - count) * dimensions, from: 0, count: count * dimensions });
        count = 0;
      }
    }
  };
  const forget = () => {
    for (let t = 0; t < numTouched; t++) placeOf[touched[t]] = -1;
    numTouched = 0;
    whole = undefined;
  };
  return {
    name,
    numRows,
    dimensions,
    values,
    async prepare() {
      const capacity = Math.min(numRows, Math.floor(MOST_SUMS / dimensions));
      if (rowSums || numTouched > 0 || capacity === 0) return;
      rowSums = await createRowSums({ capacity, dimensions });
      [touched, sums] = [new Int32Array(capacity), rowSums.values];
    },
    gather: (rows, out) => gatherRows(values, { rows, dimensions }, out),
    addGradients(rows, gradients) {
      if (whole) {
        addRows(whole, { places: rows, dimensions }, gradients);
        return;
      }
      if (places.length < rows.length) places = new Int32Array(rows.length);
      for (let k = 0; k < rows.length; k++) places[k] = rows[k] < 0 ? -1 : place(rows[k]);
      const found = places.subarray(0, rows.length);
      if (rowSums?.values === sums) rowSums.add(found, gradients);
      else addRows(sums, { places: found, dimensions }, gradients);
    },
    gatherBags({ offsets, rows, weights }, out) {
      sumBags(values, { offsets, rows, weights, dimensions }, out);
    },
    addBagGradients({ offsets, rows, weights }, gradients) {
      for (let bag = 0; bag + 1 < offsets.length; bag++)
        for (let k = offsets[bag]; k < offsets[bag + 1]; k++) addRow(rows[k], gradients, bag * dimensions, weights[k]);
    },
    addDense(gradient) {
      if (whole) for (let k = 0; k < size; k++) gradient[k] += whole[k];
      for (let t = 0; t < numTouched; t++)
        for (let d = 0, to = touched[t] * dimensions; d < dimensions; d++) gradient[to + d] += sums[t * dimensions + d];
      forget();
      whole = gradient;
    },
    gradientSquares({ sumOfSquares } = plainKernels) {
      return sumOfSquares(whole ?? sums, whole ? size : numTouched * dimensions);
    },
    step(options) {
      const apply = rangeUpdate(options);
      const table = { values, first, second };
      if (whole) apply(table, whole, { at: 0, from: 0, count: size });
      else if (2 * numTouched > numRows) stepInOrder(apply, table);
      else
        for (let t = 0; t < numTouched; t++) apply(table, sums, { at: touched[t] * dimensions, from: t * dimensions, count: dimensions });
      forget();
    },
    state: () => ({
      [name]: { shape: [numRows, dimensions], data: values.slice() },
      [`${name}.first`]: { shape: [numRows, dimensions], data: first.slice() },
      [`${name}.second`]: { shape: [numRows, dimensions], data: second.slice() },
    }),
  };
}
