// One epoch of stochastic gradient steps that rank items by observed events, in strata that any number of threads can share:
// users and items stand in `blocks` groups each; stratum (b, c) holds the events of user group b on item group c, in `parts` by user.
// In a round every b meets another c, so no row has two writers, and the bits do not depend on the thread count.
// Negatives of a positive come from its item group, which is dealt anew in every epoch: all pairs of items meet, and rows stay in cache.
// Reference: src/kernels/reference/ranking-sgd.ts. Called by src/kernels/ranking-sgd.ts.
import { itemsOf, negativesFromEvents, numItemsOf, randomBelow, rowBytesOf, seedUnit, seenItemsOf, seenOffsetsOf, usersOf, valueBytesOf } from "./ranking-sgd-step";
import { drawNegatives, drawnBefore, learn } from "./ranking-sgd-losses";

/**
 * User groups [begin, end), group b = users groupStarts[b] … groupStarts[b + 1]: writes its events as (user, item) pairs to `dealt`,
 * ordered by (item group, part), and the end of each such range to ends[(b · blocks + group) · parts + part].
 */
export function rankingSgdDeal(
  begin: i32, end: i32, scratch: usize, groupStarts: usize, offsets: usize, items: usize, groupOfItem: usize,
  blocks: u32, parts: u32, dealt: usize, ends: usize,
): void {
  const ranges = <usize>(blocks * parts);
  for (let b = <usize>begin; b < <usize>end; b++) {
    const first = load<u32>(groupStarts + (b << 2)), last = load<u32>(groupStarts + (b << 2), 4), place = ends + ((b * ranges) << 2);
    const partUsers = partUsersOf(first, last, parts);
    memory.fill(place, 0, ranges << 2);
    for (let user = first; user < last; user++) {
      const row = offsets + (<usize>user << 2), part = (user - first) / partUsers;
      for (let e = load<u32>(row); e < load<u32>(row, 4); e++) {
        const range = place + (<usize>(groupOf(e, items, groupOfItem) * parts + part) << 2);
        store<u32>(range, load<u32>(range) + 1);
      }
    }
    let start = load<u32>(offsets + (<usize>first << 2));
    for (let r: usize = 0; r < ranges; r++) {
      const count = load<u32>(place + (r << 2));
      store<u32>(place + (r << 2), start);
      start += count;
    }
    for (let user = first; user < last; user++) {
      const row = offsets + (<usize>user << 2), part = (user - first) / partUsers;
      for (let e = load<u32>(row); e < load<u32>(row, 4); e++) {
        const range = place + (<usize>(groupOf(e, items, groupOfItem) * parts + part) << 2), at = load<u32>(range);
        store<u32>(range, at + 1);
        store<u32>(dealt + (<usize>at << 3), user);
        store<u32>(dealt + (<usize>at << 3), load<u32>(items + (<usize>e << 2)), 4);
      }
    }
  }
}

@inline function partUsersOf(first: u32, last: u32, parts: u32): u32 { return max<u32>(1, (last - first + parts - 1) / parts); }

@inline function groupOf(event: u32, items: usize, groupOfItem: usize): u32 {
  return load<u32>(groupOfItem + (<usize>load<u32>(items + (<usize>event << 2)) << 2));
}

/**
 * User groups [begin, end), each with item group c = (b + shift) mod blocks, whose items are itemOrder[c · groupItems …).
 * `starts` = ends of `rankingSgdDeal` with a 0 before it. sums[b · blocks + c] = (loss, terms, product) in float64, Σ loss = loss + log product. scratch: 64 bytes and 32 · negatives · 4.
 */
export function rankingSgdEpoch(
  begin: i32, end: i32, scratch: usize, settings: usize, seed: u32, shift: u32, groupStarts: usize, blocks: u32, parts: u32,
  starts: usize, dealt: usize, itemOrder: usize, groupItems: u32, sums: usize,
): void {
  const numItems = numItemsOf(settings), fromEvents = negativesFromEvents(settings);
  for (let b = <u32>begin; b < <u32>end; b++) {
    const c = (b + shift) % blocks, stratum = b * blocks + c, ranges = starts + (<usize>(stratum * parts) << 2);
    const firstItem = min<u32>(c * groupItems, numItems), firstEvent = load<u32>(ranges);
    // what negatives are drawn from: the items of the stratum's events, or those of the item group
    const pool = fromEvents ? dealt + (<usize>firstEvent << 3) + 4 : itemOrder + (<usize>firstItem << 2), poolShift = fromEvents ? 3 : 2;
    const poolSize = fromEvents ? load<u32>(ranges + (<usize>parts << 2)) - firstEvent : min<u32>(groupItems, numItems - firstItem);
    const sum = sums + <usize>stratum * 24;
    seedUnit(scratch, seed, stratum);
    store<f64>(sum, 0);
    store<f64>(sum, 0, 8);
    store<f64>(sum, 1, 16);
    const firstUser = load<u32>(groupStarts + (<usize>b << 2)), lastUser = load<u32>(groupStarts + (<usize>b << 2), 4);
    const partUsers = partUsersOf(firstUser, lastUser, parts);
    for (let p: u32 = 0; p < parts; p++) {
      const part = (p + shift) % parts, range = ranges + (<usize>part << 2), first = load<u32>(range), count = load<u32>(range, 4) - first;
      const events = dealt + (<usize>first << 3), user = min<u32>(firstUser + part * partUsers, lastUser);
      if (count > 0) touchUsers(user, min<u32>(user + partUsers, lastUser), settings, scratch);
      shuffle(events, count, scratch);
      trainOn(events, count, scratch, settings, pool, poolSize, poolShift, sum);
    }
  }
}

/** Reads the rows and item lists of users [first, last) in order: much sooner done than with the misses that the steps would have. */
function touchUsers(first: u32, last: u32, settings: usize, scratch: usize): void {
  const rowBytes = rowBytesOf(settings), offsets = seenOffsetsOf(settings), seen = seenItemsOf(settings);
  let all: u32 = 0;
  for (let p = usersOf(settings) + <usize>first * rowBytes, end = usersOf(settings) + <usize>last * rowBytes; p < end; p += 64) all |= load<u32>(p);
  let p = seen + (<usize>load<u32>(offsets + (<usize>first << 2)) << 2);
  for (const end = seen + (<usize>load<u32>(offsets + (<usize>last << 2)) << 2); p < end; p += 64) all |= load<u32>(p);
  store<u32>(scratch, all, 8); // a use, without which the reads would be left out
}

/** Fisher–Yates over pairs of 8 bytes. */
function shuffle(pairs: usize, count: u32, random: usize): void {
  for (let i = count; i > 1; i--) {
    const a = pairs + (<usize>(i - 1) << 3), b = pairs + (<usize>randomBelow(random, i) << 3), pair = load<u64>(a);
    store<u64>(a, load<u64>(b));
    store<u64>(b, pair);
  }
}

/** Reads a row's cache lines. */
@inline function touchRow(row: usize, bytes: usize): u32 {
  let all: u32 = 0;
  for (let o: usize = 0; o < bytes; o += 64) all |= load<u32>(row + o);
  return all;
}

/**
 * The negatives of 32 events are drawn together, and the rows of the items read: these searches and misses overlap.
 * A function of its own, so that the engine's optimizer sees one loop at a time.
 */
function trainOn(events: usize, count: u32, scratch: usize, settings: usize, pool: usize, poolSize: u32, poolShift: u32, sum: usize): void {
  const rowBytes = rowBytesOf(settings), users = usersOf(settings), items = itemsOf(settings), negatives = scratch + 64, valueBytes = valueBytesOf(settings);
  const seenOffsets = seenOffsetsOf(settings), seenItems = seenItemsOf(settings), stride = <usize>drawnBefore(settings) << 2;
  for (const last = events + (<usize>count << 3); events < last; ) {
    const batchEnd = min(events + (32 << 3), last);
    let at = negatives, touched: u32 = 0;
    for (let event = events; event < batchEnd; event += 8) {
      const row = seenOffsets + (<usize>load<u32>(event) << 2), first = load<u32>(row);
      drawNegatives(at, scratch, pool, poolSize, poolShift, seenItems + (<usize>first << 2), load<u32>(row, 4) - first, settings);
      touched |= touchRow(items + <usize>load<u32>(event, 4) * rowBytes, valueBytes);
      for (const end = at + stride; at < end; at += 4) touched |= touchRow(items + <usize>max(0, load<i32>(at)) * rowBytes, valueBytes);
    }
    store<u32>(scratch, touched, 8); // a use, without which the reads would be left out
    at = negatives;
    for (; events < batchEnd; events += 8) {
      const user = <usize>load<u32>(events), row = seenOffsets + (user << 2), first = load<u32>(row), length = load<u32>(row, 4) - first;
      learn(
        false, users + user * rowBytes, <usize>load<u32>(events, 4), at, items, rowBytes, seenItems + (<usize>first << 2), length,
        pool, poolSize, poolShift, scratch, settings, sum,
      );
      at += stride;
    }
  }
}
