/** Vectors with a bias as their last column, so that score = q · v + b is one product: queries carry a 1 there. Called by mult-vae and two-tower. */

/** Writes each row of `vectors` (rows × width) with its bias behind it: rows × (width + 1). `bias`: one per row, or one for all. */
export function withBias(vectors: Float32Array, bias: Float32Array | number, out: Float32Array): Float32Array {
  const rows = typeof bias === "number" ? undefined : bias.length;
  const width = rows === undefined ? vectors.length / numRows(vectors, out) : vectors.length / rows;
  for (let row = 0, from = 0, to = 0; from < vectors.length; row++, from += width, to += width + 1) {
    out.set(vectors.subarray(from, from + width), to);
    out[to + width] = typeof bias === "number" ? bias : bias[row];
  }
  return out;
}

const numRows = (vectors: Float32Array, out: Float32Array): number => out.length - vectors.length;
