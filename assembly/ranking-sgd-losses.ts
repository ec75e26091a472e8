// What one observed event teaches, for ranking-sgd.ts and ranking-sgd-fold-in.ts. s⁺, s⁻: scores of the event's item and of a negative.
//   BPR       log σ(s⁺ − s⁻)                                                       (Rendle et al. 2009)
//   WARP      the first of up to `draws` negatives with s⁻ > s⁺ − 1: weight(trials) · (s⁻ − s⁺)   (Weston et al. 2011; trials as in LightFM)
//   logistic  log σ(s⁺) + Σ over `draws` negatives log σ(−s⁻)                      (Johnson 2014, with sampled negatives)
import {
  BPR, contains, drawsOf, lossOf, randomBelow, ruleOf, scoreDifference, scoreOf, SGD, slopeOfLogSigmoid, stepPair, stepTriple, stepTripleSgd, valueBytesOf, WARP,
  warpWeightsOf,
} from "./ranking-sgd-step";

const REDRAWS = 10;

/** How many negatives of an event are drawn beforehand. */
@inline export function drawnBefore(settings: usize): u32 {
  return lossOf(settings) == BPR ? 1 : lossOf(settings) == WARP ? 0 : drawsOf(settings);
}

/** Draws them: items of the pool that are not in the user's ascending list; −1 where none turned up. */
@inline export function drawNegatives(
  negatives: usize, random: usize, pool: usize, poolSize: u32, poolShift: u32, list: usize, listLength: u32, settings: usize,
): void {
  for (const end = negatives + (<usize>drawnBefore(settings) << 2); negatives < end; negatives += 4) {
    let item = -1;
    for (let attempt = 0; attempt < REDRAWS; attempt++) {
      const drawn = draw(random, pool, poolSize, poolShift);
      if (contains(list, listLength, drawn)) continue;
      item = drawn;
      break;
    }
    store<i32>(negatives, item);
  }
}

/**
 * One event of the user whose row is `x` and whose items are the ascending list (list, listLength), with its `negatives`; `fixedItems`
 * moves x alone. Pool: items 1 << poolShift bytes apart. Adds to the losses at `sum` (see `slopeOfLogSigmoid`). random: u32 state.
 */
@inline export function learn(
  fixedItems: bool, x: usize, item: usize, negatives: usize, items: usize, itemBytes: usize, list: usize, listLength: u32,
  pool: usize, poolSize: u32, poolShift: u32, random: usize, settings: usize, sum: usize,
): void {
  const valueBytes = valueBytesOf(settings), liked = items + item * itemBytes;
  if (lossOf(settings) == BPR) {
    const negative = load<i32>(negatives), other = items + <usize>negative * itemBytes;
    if (negative < 0) return;
    const slope = slopeOfLogSigmoid(scoreDifference(x, liked, other, valueBytes), sum);
    if (!fixedItems && ruleOf(settings) == SGD) stepTripleSgd(x, liked, other, slope, settings);
    else stepTriple(ruleOf(settings), fixedItems, x, liked, other, slope, settings);
  } else if (lossOf(settings) == WARP) {
    const score = scoreOf(x, liked, valueBytes);
    let loss: f32 = 0;
    for (let trial: u32 = 1; trial <= drawsOf(settings); trial++) {
      const negative = draw(random, pool, poolSize, poolShift), other = items + <usize>negative * itemBytes;
      const violation = scoreOf(x, other, valueBytes) - score + 1;
      if (!(violation > 0) || contains(list, listLength, negative)) continue;
      const weight = load<f32>(warpWeightsOf(settings) + (<usize>trial << 2));
      stepTriple(ruleOf(settings), fixedItems, x, liked, other, weight, settings);
      loss = weight * violation;
      break;
    }
    store<f64>(sum, load<f64>(sum) + <f64>loss);
    store<f64>(sum, load<f64>(sum, 8) + 1, 8);
  } else {
    stepPair(ruleOf(settings), fixedItems, x, liked, slopeOfLogSigmoid(scoreOf(x, liked, valueBytes), sum), 8, settings);
    for (let k: u32 = 0; k < drawsOf(settings); k++) {
      const negative = load<i32>(negatives + (<usize>k << 2)), other = items + <usize>negative * itemBytes;
      if (negative < 0) continue;
      stepPair(ruleOf(settings), fixedItems, x, other, -slopeOfLogSigmoid(-scoreOf(x, other, valueBytes), sum), 12, settings);
    }
  }
}

@inline function draw(random: usize, pool: usize, poolSize: u32, poolShift: u32): i32 {
  return load<i32>(pool + (<usize>randomBelow(random, poolSize) << poolShift));
}
