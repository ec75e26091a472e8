/**
 * Queries made ready for the quantised first passes of assembly/top-k-int4.ts and top-k-int16.ts: whole-number coefficients and the bound
 * of the error that a score taken from them can have. Cauchy–Schwarz on what rounding left over of item and query, plus the rounding
 * of the float32 score itself (γ_d = d·2⁻²⁴, Higham 2002) and of the comparison. Called by top-k.ts.
 */

/** Magnitudes outside [2⁻⁵⁰, 2⁵⁰] are left to the float32 scan: there products may overflow or lose digits to underflow. */
const smallest = 2 ** -50;
const largest = 2 ** 50;

export function inRange(magnitude: number): boolean {
  return magnitude >= smallest && magnitude <= largest;
}

/** Least scale of a block of zeros, as in the kernels. */
export const smallestScale = smallest;

/** Bytes of a query made ready for 4-bit items that stand before its coefficients. */
export const int4Header = 64;

/** Bytes of a query made ready for 4-bit items of which `leading` words of 8 dimensions are coded, and for the second look in 8 bits. */
export function int4Stride(dimensions: number, leading = Math.ceil(dimensions / 8)): number {
  return int4Header + 16 * leading + 2 * paddedInt8(dimensions);
}

/** Bytes of what the 4-bit pass keeps beside the codes of 16 items. */
export function int4FigureBytes(hasAxis: boolean): number {
  return hasAxis ? 256 : 192;
}

/** Bytes of an item in 8 bits: assembly/top-k-int8.ts. */
export function int8RowBytes(dimensions: number): number {
  return 16 + paddedInt8(dimensions);
}

function paddedInt8(dimensions: number): number {
  return 16 * Math.ceil(dimensions / 16);
}

/** Bytes of a query made ready for 16-bit items. */
export function int16Stride(dimensions: number): number {
  return 8 + 4 * Math.ceil(dimensions / 2);
}

/** Item and query steps such that no sum of `dimensions` products leaves 32 bits. */
export function int16Levels(dimensions: number): number {
  return Math.min(8191, Math.floor(Math.sqrt((2 ** 31 - 2 ** 16) / dimensions)) - 1);
}

interface Norms {
  max: number;
  sum: number;
  euclidean: number;
}

function normsOf(query: Float32Array | Float64Array): Norms {
  let max = 0;
  let sum = 0;
  let squares = 0;
  for (const value of query) {
    const size = Math.abs(value);
    if (size > max) max = size;
    sum += size;
    squares += value * value;
  }
  return { max, sum, euclidean: Math.sqrt(squares) };
}

/** Relative error of a float32 score against Σ |item_d · query_d|. */
function rounding(dimensions: number): number {
  return (dimensions + 2) * 2 ** -24 * 1.01;
}

/**
 * Writes one query for `topKInt4`, in the layout that assembly/top-k-int4.ts describes. Out of range the error is endless: then every
 * item is a candidate, or too many are and the query is scanned in full.
 *
 * With an axis m (of length 1 up to rounding) items are a·m + y, y being what was coded, and with p = query − (m·query) m
 *   score = a (m·query) + p·y + (m·query)(m·y) − ε·query.
 * Rounding makes |m·y| ≤ (d + 8) 2⁻²⁴ ‖item‖ and ‖ε‖ ≤ 4 · 2⁻²⁴ ‖item‖; with the score's own and that of the first product, less than
 * (3d + 64) 2⁻²⁴ ‖item‖·‖query‖. Of the first `leading` words of 8 dimensions the 4-bit codes hold all, of the others the length alone:
 * p·y is off by at most ‖p leading‖·‖residual‖ + ‖p behind‖·‖y behind‖ and what rounding took from the coefficients.
 */
export function prepareInt4(
  given: Float32Array,
  target: DataView,
  { axis, leading = Math.ceil(given.length / 8) }: { axis?: Float32Array; leading?: number } = {},
): void {
  const dimensions = given.length;
  for (let at = 0; at < int4Stride(dimensions, leading); at += 4) target.setInt32(at, 0, true);
  const query = Float64Array.from(given);
  const whole = normsOf(given);
  let product = 0;
  if (axis) {
    for (let d = 0; d < dimensions; d++) product += given[d] * axis[d];
    for (let d = 0; d < dimensions; d++) query[d] -= product * axis[d];
  }
  const { max } = normsOf(query);
  if (!(inRange(max) && inRange(whole.max) && whole.euclidean < Number.POSITIVE_INFINITY)) {
    // also NaN
    for (const constant of [20, 48]) target.setFloat32(constant, Number.POSITIVE_INFINITY, true);
    return;
  }
  const gamma = rounding(dimensions) * whole.euclidean;
  const ofAxis = whole.euclidean * (3 * dimensions + 64) * 2 ** -24 * 1.01;
  prepareCodes(query.subarray(0, 8 * leading), target, gamma);
  target.setFloat32(32, (normsOf(query.subarray(8 * leading)).euclidean + gamma) * 1.00001, true);
  if (axis) {
    target.setFloat32(24, product, true);
    target.setFloat32(28, ofAxis, true);
  }
  prepareSecondLook(query, target, { first: int4Header + 16 * leading, perLength: ofAxis + 2 ** -19 * whole.euclidean });
}

/** Coefficients of the coded dimensions, and the errors of their product. `gamma`: rounding of a score per length of the item. */
function prepareCodes(query: Float64Array, target: DataView, gamma: number): void {
  const words = Math.ceil(query.length / 8);
  const { max, euclidean } = normsOf(query);
  const step = Math.max(max, smallest) / 30_000;
  // a signed nibble counts 4096 · c3, so the sums of the two upper nibbles bound c3: 32768·c3 + 3840·17·c3 a half, in 31 bits
  const highest = Math.max(1, Math.min(1900, Math.floor((2 ** 31 - 1) / (98_048 * 2 * words))));
  const weight = Math.fround(30_000 / (4096 * highest));
  let offset = 0;
  let lowSum = 0;
  let highSum = 0;
  let lost = 0;
  for (let half = 0; half < 2 * words; half++) {
    const first = 4 * half;
    const wanted = [0, 1, 2, 3].map((d) => (first + d < query.length ? query[first + d] / step : 0));
    const c3 = Math.round(wanted[3] / (4096 * weight));
    const c2 = Math.round(wanted[2] / (256 * weight)) - c3;
    const c1 = Math.round(wanted[1] / 16 - weight * c3);
    const c0 = Math.round(wanted[0] - weight * c3);
    const effective = [c0 + weight * c3, 16 * (c1 + weight * c3), 256 * weight * (c2 + c3), 4096 * weight * c3];
    for (let d = 0; d < 4 && first + d < query.length; d++) {
      offset += effective[d] * (d < 3 ? 7.5 : -0.5);
      lost += (wanted[d] - effective[d]) ** 2;
    }
    lowSum += 15 * Math.abs(c0) + 240 * Math.abs(c1);
    highSum += 3840 * Math.abs(c2) + 32_768 * Math.abs(c3);
    const at = int4Header + 16 * (half >> 1) + 2 * (half & 1);
    for (const [d, coefficient] of [c0, c1, c2, c3].entries()) target.setInt16(at + 4 * d, coefficient, true);
  }
  const figures = [
    step,
    weight * step,
    offset * step,
    (euclidean + gamma) * 1.00001,
    (Math.sqrt(lost) * step + gamma) * 1.00001,
    (1 + 2 ** -18 * (lowSum + weight * highSum + Math.abs(offset))) * step,
  ];
  for (const [f, figure] of figures.entries()) target.setFloat32(4 * f, figure, true);
}

/** Step, error per ‖residual‖ and per ‖item‖, and whole-number coefficients such that no sum of products with 8 bits leaves 32 bits. */
function prepareSecondLook(query: Float64Array, target: DataView, { first, perLength }: { first: number; perLength: number }): void {
  const { max, euclidean } = normsOf(query);
  const step = max / Math.min(32_767, Math.floor((2 ** 31 - 1) / (127 * query.length)));
  let lost = 0;
  for (const [d, value] of query.entries()) {
    const coefficient = Math.round(value / step);
    lost += (value / step - coefficient) ** 2;
    target.setInt16(first + 2 * d, coefficient, true);
  }
  target.setFloat32(36, step, true);
  target.setFloat32(40, euclidean * 1.00001, true);
  target.setFloat32(44, (Math.sqrt(lost) * step + perLength) * 1.00001, true);
}

/** Writes one query for `topKInt16`: error per item step, error per ‖item‖, codes. Out of range: zeros, which tell no item from another. */
export function prepareInt16(query: Float32Array, target: DataView): void {
  const dimensions = query.length;
  for (let at = 0; at < int16Stride(dimensions); at += 4) target.setInt32(at, 0, true);
  const { max, sum, euclidean } = normsOf(query);
  if (!(inRange(max) && euclidean < Number.POSITIVE_INFINITY)) return; // also NaN
  const step = max / int16Levels(dimensions);
  let lost = 0;
  let lostSum = 0;
  for (let d = 0; d < dimensions; d++) {
    const wanted = query[d] / step;
    const code = Math.round(wanted);
    lost += (wanted - code) ** 2;
    lostSum += Math.abs(wanted - code);
    target.setInt16(8 + 2 * d, code, true);
  }
  const length = euclidean / step;
  target.setFloat32(0, (0.502 * (sum / step + lostSum) + 2) * 1.00001, true);
  target.setFloat32(4, (Math.sqrt(lost) + (rounding(dimensions) + 2 ** -19) * length) * 1.00001, true);
}
