/**
 * Encoded features of a batch, and the embeddings that they name.
 *   batch = featureBatch(encoded, indexes);  embedFeatures(table, batch, out);  … d loss / d out …  addFeatureGradients(table, batch, gradient)
 * Called by dcn, deepfm, two-tower.
 */
import type { Random } from "../../core/random.js";
import type { SparseTable } from "../../nn/sparse-table.js";
import type { EncodedFeatures } from "./feature-encoder.js";

/** The features of some rows, in the layout of `EncodedFeatures`. */
export interface FeatureBatch {
  offsets?: Int32Array;
  tableRows: Int32Array;
  /** Share of each table row in its cell. Default: all alike. */
  weights?: Float32Array;
  dense: Float32Array;
}

/** Rows by index, a negative one being all unknown. In training each field is made unknown with chance `share`, so that unknown is learned. */
export function featureBatch(encoded: EncodedFeatures, indexes: Int32Array, dropped?: { share: number; random: Random }): FeatureBatch {
  const { fields, offsets, tableRows, numDense, dense } = encoded;
  const numbers = new Float32Array(indexes.length * numDense);
  indexes.forEach((index, k) => {
    if (index >= 0) numbers.set(dense.subarray(index * numDense, (index + 1) * numDense), k * numDense);
  });
  const unknown = (index: number) => index < 0 || (dropped !== undefined && dropped.share > 0 && dropped.random.uniform() < dropped.share);
  const width = fields.length;
  if (!offsets) {
    const rows = new Int32Array(indexes.length * width);
    for (let k = 0, cell = 0; k < indexes.length; k++)
      for (let f = 0; f < width; f++) rows[cell++] = unknown(indexes[k]) ? fields[f].firstRow : tableRows[indexes[k] * width + f];
    return { tableRows: rows, dense: numbers };
  }
  const [rows, starts]: [number[], Int32Array] = [[], new Int32Array(indexes.length * width + 1)];
  for (let k = 0, cell = 0; k < indexes.length; k++)
    for (let f = 0; f < width; f++) {
      const from = indexes[k] * width + f;
      if (unknown(indexes[k])) rows.push(fields[f].firstRow);
      else for (let e = offsets[from]; e < offsets[from + 1]; e++) rows.push(tableRows[e]);
      starts[++cell] = rows.length;
    }
  return { offsets: starts, tableRows: Int32Array.from(rows), dense: numbers };
}

/** Writes rows × fields × dimensions into `out`: each cell's embedding, or the mean of its words'. */
export function embedFeatures(
  table: Pick<SparseTable, "values" | "dimensions" | "gather">,
  { offsets, tableRows, weights }: FeatureBatch,
  out: Float32Array,
): void {
  if (!offsets) {
    table.gather(tableRows, out);
    return;
  }
  const { dimensions, values } = table;
  out.fill(0, 0, (offsets.length - 1) * dimensions);
  for (let cell = 0; cell + 1 < offsets.length; cell++) {
    const alike = 1 / (offsets[cell + 1] - offsets[cell]);
    for (let e = offsets[cell]; e < offsets[cell + 1]; e++) {
      const share = weights?.[e] ?? alike;
      for (let d = 0; d < dimensions; d++) out[cell * dimensions + d] += share * values[tableRows[e] * dimensions + d];
    }
  }
}

/** Adds d loss / d out of `embedFeatures` to the table. */
export function addFeatureGradients(table: SparseTable, { offsets, tableRows, weights }: FeatureBatch, gradient: Float32Array): void {
  if (!offsets) {
    table.addGradients(tableRows, gradient);
    return;
  }
  const { dimensions } = table;
  const shares = new Float32Array(tableRows.length * dimensions);
  for (let cell = 0; cell + 1 < offsets.length; cell++) {
    const alike = 1 / (offsets[cell + 1] - offsets[cell]);
    for (let e = offsets[cell]; e < offsets[cell + 1]; e++)
      for (let d = 0, share = weights?.[e] ?? alike; d < dimensions; d++)
        shares[e * dimensions + d] = share * gradient[cell * dimensions + d];
  }
  table.addGradients(tableRows, shares);
}
