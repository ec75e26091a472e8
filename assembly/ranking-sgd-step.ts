// One step of stochastic gradient ascent on a user row and one or two item rows, for ranking-sgd.ts and ranking-sgd-fold-in.ts.
// A row is `valueBytes` of values (factors padded to a multiple of 16, then the bias and three zeros), followed by what the rule keeps:
//   SGD      p += η g
//   Adagrad  G += g², p += η g / √G                                    (Duchi, Hazan & Singer 2011; G per value)
//   Adam     m, v decay, p += η √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (√v + ε)   (Kingma & Ba 2015; lazily: t counts the row's own steps)
// where g = z · (rows it is multiplied with) − λ p. Settings are written by src/kernels/ranking-sgd-layout.ts.
import { dot, multiplyAdd, multiplySubtract, sumOfLanes } from "./simd";

export const SGD: u32 = 0, ADAGRAD: u32 = 1, BPR: u32 = 0, WARP: u32 = 1;

// The settings of a fit, 128 bytes: η, λ of users, of positive items, of negative items, of biases, β₁, β₂, ε (f32), then:
@inline export function rowBytesOf(settings: usize): usize { return load<u32>(settings, 32); }
@inline export function valueBytesOf(settings: usize): usize { return load<u32>(settings, 36); }
@inline export function ruleOf(settings: usize): u32 { return load<u32>(settings, 40); }
@inline export function lossOf(settings: usize): u32 { return load<u32>(settings, 44); }
/** Negatives of an event (logistic), or most trials (WARP). */
@inline export function drawsOf(settings: usize): u32 { return load<u32>(settings, 48); }
@inline export function negativesFromEvents(settings: usize): bool { return load<u32>(settings, 52) != 0; }
@inline export function numItemsOf(settings: usize): u32 { return load<u32>(settings, 56); }
@inline export function usersOf(settings: usize): usize { return load<u32>(settings, 60); }
@inline export function itemsOf(settings: usize): usize { return load<u32>(settings, 64); }
@inline export function seenOffsetsOf(settings: usize): usize { return load<u32>(settings, 68); }
@inline export function seenItemsOf(settings: usize): usize { return load<u32>(settings, 72); }
/** f32 by number of trials, from 0 on. */
@inline export function warpWeightsOf(settings: usize): usize { return load<u32>(settings, 76); }

/** 32 random bits (splitmix32, as in src/core/random.ts); `state` points to its u32. */
@inline export function randomBits(state: usize): u32 {
  const mix = load<u32>(state) + 0x9e3779b9;
  store<u32>(state, mix);
  let z = (mix ^ (mix >> 16)) * 0x21f0aaad;
  z = (z ^ (z >> 15)) * 0x735a2d97;
  return z ^ (z >> 15);
}

/** Uniform in [0, n). */
@inline export function randomBelow(state: usize, n: u32): u32 { return <u32>((<u64>randomBits(state) * n) >> 32); }

/** A generator's start for unit `unit` of the work seeded by `seed`. */
@inline export function seedUnit(state: usize, seed: u32, unit: u32): void {
  store<u32>(state, seed ^ (unit + 1) * 0x85ebca6b);
  store<u32>(state, randomBits(state));
}

/** e^−t for t ≥ 0, relative error below 3e-7; from 87 on it stays at e^−87. */
@inline export function expOfMinus(t: f32): f32 {
  const magic: f32 = 12582912; // 1.5 · 2²³: adding it rounds to a whole number, which then stands in the low bits
  const x = max<f32>(-t, -87), shifted = x * 1.44269504 + magic, k = shifted - magic, r = x - k * 0.693359375 + k * 2.12194440e-4;
  const p: f32 = 1 + r * (1 + r * (0.5 + r * (0.16666667 + r * (0.041666667 + r * (0.0083333333 + r * 0.0013888889)))));
  return p * reinterpret<f32>((reinterpret<i32>(shifted) + 127) << 23);
}

/**
 * The slope of log σ(t), σ(−t), relative error below 5e-7 for |t| ≤ 87. Adds −log σ(t) = max(−t, 0) + log(1 + e^−|t|) to the losses at
 * `sum`, three f64: Σ loss, terms, and a product whose logarithm the caller adds to the first; it is kept from overflowing here.
 */
@inline export function slopeOfLogSigmoid(t: f32, sum: usize): f32 {
  const e = expOfMinus(abs(t));
  let product = load<f64>(sum, 16) * <f64>(1 + e), loss = load<f64>(sum) + <f64>max<f32>(-t, 0);
  if (product >= 1.3407807929942597e154) { // 2^512
    product *= 7.458340731200207e-155;
    loss += 354.891356446692; // 512 log 2
  }
  store<f64>(sum, loss);
  store<f64>(sum, load<f64>(sum, 8) + 1, 8);
  store<f64>(sum, product, 16);
  return select<f32>(e, 1, t >= 0) / (1 + e);
}

/** Whether `item` stands in the ascending list of `count` ≥ 1 items; branchless, so that no guess goes wrong. */
@inline export function contains(list: usize, count: u32, item: i32): bool {
  while (count > 1) {
    const half = count >> 1, middle = list + (<usize>half << 2);
    list = select<usize>(middle, list, load<i32>(middle) <= item);
    count -= half;
  }
  return load<i32>(list) == item;
}

/** x·y + b_x + b_y */
@inline export function scoreOf(x: usize, y: usize, valueBytes: usize): f32 {
  const bias = valueBytes - 16;
  return dot(x, y, bias) + load<f32>(x + bias) + load<f32>(y + bias);
}

/** x·(y − z) + b_y − b_z, for 16 factors at a time. */
@inline export function scoreDifference(x: usize, y: usize, z: usize, valueBytes: usize): f32 {
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
  const bias = valueBytes - 16, difference = load<f32>(y + bias) - load<f32>(z + bias);
  for (const end = x + bias; x < end; x += 64) {
    s0 = multiplyAdd(v128.load(x), f32x4.sub(v128.load(y), v128.load(z)), s0);
    s1 = multiplyAdd(v128.load(x, 16), f32x4.sub(v128.load(y, 16), v128.load(z, 16)), s1);
    s2 = multiplyAdd(v128.load(x, 32), f32x4.sub(v128.load(y, 32), v128.load(z, 32)), s2);
    s3 = multiplyAdd(v128.load(x, 48), f32x4.sub(v128.load(y, 48), v128.load(z, 48)), s3);
    y += 64; z += 64;
  }
  return sumOfLanes(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3))) + difference;
}

/** The row's own learning rate; Adam counts its step here. */
@inline function rateOf(rule: u32, row: usize, settings: usize): f32 {
  const rate = load<f32>(settings);
  if (rule <= ADAGRAD) return rate;
  const powers = row + rowBytesOf(settings) - 16;
  const first = load<f32>(powers) * load<f32>(settings, 20), second = load<f32>(powers, 4) * load<f32>(settings, 24);
  store<f32>(powers, first);
  store<f32>(powers, second, 4);
  return rate * sqrt<f32>(1 - second) / (1 - first);
}

/** Four values, of which `value` is the present state, step along `gradient`. */
@inline function move(rule: u32, place: usize, valueBytes: usize, value: v128, gradient: v128, rate: v128, settings: usize): void {
  if (rule == SGD) {
    v128.store(place, multiplyAdd(rate, gradient, value));
  } else if (rule == ADAGRAD) {
    const sum = multiplyAdd(gradient, gradient, v128.load(place + valueBytes));
    v128.store(place + valueBytes, sum);
    v128.store(place, f32x4.add(value, f32x4.div(f32x4.mul(rate, gradient), f32x4.sqrt(sum))));
  } else {
    const first = place + valueBytes, second = first + valueBytes, one = f32x4.splat(1);
    const b1 = v128.load32_splat(settings, 20), b2 = v128.load32_splat(settings, 24), epsilon = v128.load32_splat(settings, 28);
    const m = multiplyAdd(b1, v128.load(first), f32x4.mul(f32x4.sub(one, b1), gradient));
    const v = multiplyAdd(b2, v128.load(second), f32x4.mul(f32x4.sub(one, b2), f32x4.mul(gradient, gradient)));
    v128.store(first, m);
    v128.store(second, v);
    v128.store(place, f32x4.add(value, f32x4.div(f32x4.mul(rate, m), f32x4.add(f32x4.sqrt(v), epsilon))));
  }
}

/** Plain SGD along ∂/∂(x, y⁺, y⁻) of z · (x·y⁺ + b⁺ − x·y⁻ − b⁻): p += η (z · … − λ p), written as (1 − ηλ) p + ηz · …. */
@inline export function stepTripleSgd(x: usize, liked: usize, other: usize, z: f32, settings: usize): void {
  const rate = load<f32>(settings), rates = f32x4.splat(rate), one = f32x4.splat(1), zs = f32x4.splat(rate * z);
  const keepUser = multiplySubtract(rates, v128.load32_splat(settings, 4), one);
  const keepLiked = multiplySubtract(rates, v128.load32_splat(settings, 8), one), keepOther = multiplySubtract(rates, v128.load32_splat(settings, 12), one);
  for (const end = x + valueBytesOf(settings) - 16; x < end; x += 64) {
    stepFour(x, liked, other, zs, keepUser, keepLiked, keepOther);
    stepFour(x + 16, liked + 16, other + 16, zs, keepUser, keepLiked, keepOther);
    stepFour(x + 32, liked + 32, other + 32, zs, keepUser, keepLiked, keepOther);
    stepFour(x + 48, liked + 48, other + 48, zs, keepUser, keepLiked, keepOther);
    liked += 64; other += 64;
  }
  const keepBias: f32 = 1 - rate * load<f32>(settings, 16);
  store<f32>(liked, keepBias * load<f32>(liked) + rate * z);
  store<f32>(other, keepBias * load<f32>(other) - rate * z);
}

@inline function stepFour(x: usize, liked: usize, other: usize, zs: v128, keepUser: v128, keepLiked: v128, keepOther: v128): void {
  const u = v128.load(x), l = v128.load(liked), d = v128.load(other), zu = f32x4.mul(zs, u);
  v128.store(x, multiplyAdd(zs, f32x4.sub(l, d), f32x4.mul(keepUser, u)));
  v128.store(liked, multiplyAdd(keepLiked, l, zu));
  v128.store(other, f32x4.sub(f32x4.mul(keepOther, d), zu));
}

/** Step along ∂/∂(x, y⁺, y⁻) of z · (x·y⁺ + b⁺ − x·y⁻ − b⁻); `fixedItems` moves x alone. */
@inline export function stepTriple(rule: u32, fixedItems: bool, x: usize, liked: usize, other: usize, z: f32, settings: usize): void {
  const valueBytes = valueBytesOf(settings), zs = f32x4.splat(z);
  const userPenalty = v128.load32_splat(settings, 4), likedPenalty = v128.load32_splat(settings, 8), otherPenalty = v128.load32_splat(settings, 12);
  const userRate = f32x4.splat(rateOf(rule, x, settings));
  const likedRate = fixedItems ? zs : f32x4.splat(rateOf(rule, liked, settings)), otherRate = fixedItems ? zs : f32x4.splat(rateOf(rule, other, settings));
  const bias = valueBytes - 16;
  for (let o: usize = 0; o < bias; o += 16) {
    const u = v128.load(x + o), l = v128.load(liked + o), d = v128.load(other + o), zu = f32x4.mul(zs, u);
    move(rule, x + o, valueBytes, u, multiplySubtract(userPenalty, u, f32x4.mul(zs, f32x4.sub(l, d))), userRate, settings);
    if (fixedItems) continue;
    move(rule, liked + o, valueBytes, l, multiplySubtract(likedPenalty, l, zu), likedRate, settings);
    move(rule, other + o, valueBytes, d, f32x4.neg(multiplyAdd(otherPenalty, d, zu)), otherRate, settings);
  }
  if (fixedItems) return;
  const l = v128.load(liked + bias), d = v128.load(other + bias), zb = f32x4.replace_lane(f32x4.splat(0), 0, z), penalty = v128.load32_splat(settings, 16);
  move(rule, liked + bias, valueBytes, l, multiplySubtract(penalty, l, zb), likedRate, settings);
  move(rule, other + bias, valueBytes, d, f32x4.neg(multiplyAdd(penalty, d, zb)), otherRate, settings);
}

/** Step along ∂/∂(x, y) of z · (x·y + b_x + b_y), the item's λ at settings + `penaltyAt`; `fixedItems` moves x alone. */
@inline export function stepPair(rule: u32, fixedItems: bool, x: usize, y: usize, z: f32, penaltyAt: usize, settings: usize): void {
  const valueBytes = valueBytesOf(settings), zs = f32x4.splat(z);
  const userPenalty = v128.load32_splat(settings, 4), itemPenalty = v128.load32_splat(settings + penaltyAt);
  const userRate = f32x4.splat(rateOf(rule, x, settings)), itemRate = fixedItems ? zs : f32x4.splat(rateOf(rule, y, settings));
  const bias = valueBytes - 16;
  for (let o: usize = 0; o < bias; o += 16) {
    const u = v128.load(x + o), i = v128.load(y + o);
    move(rule, x + o, valueBytes, u, multiplySubtract(userPenalty, u, f32x4.mul(zs, i)), userRate, settings);
    if (!fixedItems) move(rule, y + o, valueBytes, i, multiplySubtract(itemPenalty, i, f32x4.mul(zs, u)), itemRate, settings);
  }
  const u = v128.load(x + bias), i = v128.load(y + bias), zb = f32x4.replace_lane(f32x4.splat(0), 0, z), penalty = v128.load32_splat(settings, 16);
  move(rule, x + bias, valueBytes, u, multiplySubtract(penalty, u, zb), userRate, settings);
  if (!fixedItems) move(rule, y + bias, valueBytes, i, multiplySubtract(penalty, i, zb), itemRate, settings);
}
