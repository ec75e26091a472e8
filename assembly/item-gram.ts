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

/** counts[i] = number of items that share a user with item i in [begin, end), itself included. scratch: numItems int32, zero at first. */
export function gramRowCounts(begin: i32, end: i32, scratch: usize, userOffsets: usize, userItems: usize, itemOffsets: usize, itemUsers: usize, counts: usize): void {
  for (let item = begin; item < end; item++) {
    let count = 0;
    const last = <usize>load<i32>(itemOffsets + (<usize>item << 2), 4);
    for (let entry = <usize>load<i32>(itemOffsets + (<usize>item << 2)); entry < last; entry++) {
      const user = userOffsets + (<usize>load<i32>(itemUsers + (entry << 2)) << 2), stop = userItems + (<usize>load<i32>(user, 4) << 2);
      for (let p = userItems + (<usize>load<i32>(user) << 2); p < stop; p += 4) {
        const mark = scratch + (<usize>load<i32>(p) << 2);
        if (load<i32>(mark) != item + 1) { store<i32>(mark, item + 1); count++; }
      }
    }
    store<i32>(counts + (<usize>item << 2), count);
  }
}

/**
 * Rows [begin, end) of G as CSR with the `offsets` that the counts gave, columns ascending, and G_ii in `diagonal`. Places left over
 * by sums that vanished in float32 hold the item itself with 0. scratch: numItems float32, zero before and after.
 */
export function gramRows(
  begin: i32, end: i32, scratch: usize, userOffsets: usize, userItems: usize, userValues: usize, itemOffsets: usize, itemUsers: usize,
  itemValues: usize, numItems: usize, offsets: usize, indices: usize, values: usize, diagonal: usize,
): void {
  for (let item = <usize>begin; item < <usize>end; item++) {
    const last = <usize>load<i32>(itemOffsets + (item << 2), 4);
    for (let entry = <usize>load<i32>(itemOffsets + (item << 2)); entry < last; entry++) {
      const user = userOffsets + (<usize>load<i32>(itemUsers + (entry << 2)) << 2), stop = userItems + (<usize>load<i32>(user, 4) << 2);
      const x: f32 = userValues == 0 ? 1 : load<f32>(itemValues + (entry << 2)), shift = userValues - userItems;
      for (let p = userItems + (<usize>load<i32>(user) << 2); p < stop; p += 4) {
        const cell = scratch + (<usize>load<i32>(p) << 2);
        store<f32>(cell, load<f32>(cell) + (userValues == 0 ? 1 : x * load<f32>(shift + p)));
      }
    }
    store<f32>(diagonal + (item << 2), load<f32>(scratch + (item << 2)));
    let at = <usize>load<i32>(offsets + (item << 2)) << 2;
    const full = <usize>load<i32>(offsets + (item << 2), 4) << 2;
    for (let j: usize = 0; j < numItems; j++) {
      const value = load<f32>(scratch + (j << 2));
      if (value == 0) continue;
      store<f32>(scratch + (j << 2), 0);
      store<i32>(indices + at, <i32>j);
      store<f32>(values + at, value);
      at += 4;
    }
    for (; at < full; at += 4) { store<i32>(indices + at, <i32>item); store<f32>(values + at, 0); }
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
