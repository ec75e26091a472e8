// Gram matrix G = XᵀX of a sparse user × item matrix, row by row: G_i· = Σ_u x_ui · x_u·, users ascending. Each row belongs to one
// unit of work, so the sums do not depend on the number of threads. X is given by user and by item, columns ascending; `values` 0
// stands for all ones. Reference: referenceItemGram in src/kernels/reference/ease.ts. Called by src/kernels/ease.ts and src/kernels/slim.ts.
import { tileAt } from "./tile";

/**
 * Items [begin, end) of G + λI into lower tiles of `size`; G_ii = 1 behind the last item and for items without users.
 * limits[i] = share · (G_ii + λ), the least pivot worth its digits. scratch: one row of all tiles.
 */
export function gramTiles(
  begin: i32, end: i32, scratch: usize, userOffsets: usize, userItems: usize, userValues: usize, itemOffsets: usize, itemUsers: usize,
  itemValues: usize, numItems: usize, lambda: f32, share: f32, tiles: usize, size: usize, limits: usize,
): void {
  const rowBytes = size << 2;
  for (let item = <usize>begin; item < <usize>end; item++) {
    const block = item / size, row = item - block * size;
    memory.fill(scratch, 0, (block + 1) * rowBytes);
    if (item < numItems) addUsers(scratch, item, userOffsets, userItems, userValues, itemOffsets, itemUsers, itemValues);
    const cell = scratch + (item << 2), squares = load<f32>(cell), diagonal: f32 = (squares > 0 ? squares : 1) + lambda;
    store<f32>(cell, diagonal);
    store<f32>(limits + (item << 2), diagonal * share);
    for (let j: usize = 0; j <= block; j++) memory.copy(tileAt(tiles, block, j, size) + row * rowBytes, scratch + j * rowBytes, rowBytes);
  }
}

/** sums[j] += x_ui x_uj for all users of `item` and all j ≤ item. */
@inline function addUsers(
  sums: usize, item: usize, userOffsets: usize, userItems: usize, userValues: usize, itemOffsets: usize, itemUsers: usize, itemValues: usize,
): void {
  const last = <usize>load<i32>(itemOffsets + (item << 2), 4);
  for (let entry = <usize>load<i32>(itemOffsets + (item << 2)); entry < last; entry++) {
    const first = <usize>load<i32>(userOffsets + (<usize>load<i32>(itemUsers + (entry << 2)) << 2)) << 2;
    let p = userItems + first, j: usize;
    if (userValues == 0) {
      do { // the user's row holds `item`, so the loop ends there
        j = <usize>load<i32>(p);
        const cell = sums + (j << 2);
        store<f32>(cell, load<f32>(cell) + 1);
        p += 4;
      } while (j != item);
    } else {
      const x = load<f32>(itemValues + (entry << 2)), values = userValues - userItems;
      do {
        j = <usize>load<i32>(p);
        const cell = sums + (j << 2);
        store<f32>(cell, load<f32>(cell) + x * load<f32>(values + p));
        p += 4;
      } while (j != item);
    }
  }
}
