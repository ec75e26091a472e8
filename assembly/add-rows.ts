// Gradients of embedding rows added up, each row in its own place. Reference: `addRows` of src/nn/table-rows.ts, whose bits these are.
// Called by src/kernels/row-sums.ts.

/** Rows [begin, end) of `gradients` (`dimensions` f32 each) are added to row places[k] of `sums`; a negative place drops the row. */
export function addRows(begin: i32, end: i32, scratch: usize, gradients: usize, places: usize, dimensions: usize, sums: usize): void {
  const bytes = dimensions << 2, wide = bytes & ~15;
  for (let k = <usize>begin; k < <usize>end; k++) {
    const place = load<i32>(places + (k << 2));
    if (place < 0) continue;
    let from = gradients + k * bytes, to = sums + <usize>place * bytes;
    const last = from + bytes;
    for (const stop = from + wide; from < stop; from += 16, to += 16) v128.store(to, f32x4.add(v128.load(to), v128.load(from)));
    for (; from < last; from += 4, to += 4) store<f32>(to, load<f32>(to) + load<f32>(from));
  }
}
