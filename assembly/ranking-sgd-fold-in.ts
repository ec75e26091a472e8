// Rows of users unknown at training time: the steps of training on their history alone, the items fixed. The row is the mean of
// the values after each step of the second half of the passes, which takes out the noise of the draws.
// Every row draws from the same seed, so that an answer does not depend on its neighbours in a batch.
// Reference: src/kernels/reference/ranking-sgd.ts. Called by src/kernels/ranking-sgd-fold-in.ts.
import { itemsOf, randomBelow, rowBytesOf, seedUnit, valueBytesOf } from "./ranking-sgd-step";
import { drawNegatives, learn } from "./ranking-sgd-losses";

/**
 * Rows [begin, end) of `out` (values only). Events of row r: events[eventOffsets[r] …); its items ascending: seen[seenOffsets[r] …).
 * rates[p]: learning rate of pass p. `start`: a row before its first step. pool: what negatives are drawn from.
 * scratch: 64 bytes, one row, a copy of the settings (128 bytes), the negatives of one event.
 */
export function rankingSgdFoldIn(
  begin: i32, end: i32, scratch: usize, settings: usize, eventOffsets: usize, events: usize, seenOffsets: usize, seen: usize,
  rates: usize, passes: u32, start: usize, pool: usize, poolSize: u32, seed: u32, out: usize,
): void {
  const rowBytes = rowBytesOf(settings), valueBytes = valueBytesOf(settings), x = scratch + 64, own = x + rowBytes, negatives = own + 128, items = itemsOf(settings);
  memory.copy(own, settings, 128);
  for (let r = <usize>begin; r < <usize>end; r++) {
    const row = out + r * valueBytes, firstEvent = load<u32>(eventOffsets + (r << 2)), count = load<u32>(eventOffsets + (r << 2), 4) - firstEvent;
    const firstSeen = load<u32>(seenOffsets + (r << 2)), length = load<u32>(seenOffsets + (r << 2), 4) - firstSeen;
    const list = seen + (<usize>firstSeen << 2);
    memory.fill(row, 0, valueBytes);
    if (count == 0) continue;
    memory.copy(x, start, rowBytes);
    seedUnit(scratch, seed, 0);
    for (let pass: u32 = 0; pass < passes; pass++) {
      store<f32>(own, load<f32>(rates + (<usize>pass << 2)));
      for (let k: u32 = 0; k < count; k++) {
        const item = <usize>load<u32>(events + (<usize>(firstEvent + randomBelow(scratch, count)) << 2));
        drawNegatives(negatives, scratch, pool, poolSize, 2, list, length, own);
        learn(true, x, item, negatives, items, valueBytes, list, length, pool, poolSize, 2, scratch, own, scratch + 16);
        if (pass >= passes >> 1) for (let o: usize = 0; o < valueBytes; o += 16) v128.store(row + o, f32x4.add(v128.load(row + o), v128.load(x + o)));
      }
    }
    const share = f32x4.splat(1 / <f32>((passes - (passes >> 1)) * count));
    for (let o: usize = 0; o < valueBytes; o += 16) v128.store(row + o, f32x4.mul(share, v128.load(row + o)));
  }
}
