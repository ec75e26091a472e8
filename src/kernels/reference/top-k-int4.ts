/**
 * Plain twins of the bounds of assembly/top-k-int4.ts and top-k-int8.ts: round one item in float64, take its sum with a query made ready by
 * `prepareInt4` as the kernels do, and give the interval that must hold the float32 score. Called by tests only.
 */
import { int4Header } from "../top-k-quantized.js";

export interface Int4Shape {
  axis?: Float32Array;
  /** Words of 8 dimensions that 4-bit codes hold. Default all. */
  leading?: number;
}

export interface Interval {
  lower: number;
  upper: number;
}

/** From the 4-bit codes. `prepared`: what `prepareInt4` wrote for the query, with the same shape. */
export function referenceInt4Interval(given: Float32Array, prepared: DataView, { axis, leading = given.length }: Int4Shape = {}): Interval {
  const { along, item } = withoutAxis(given, axis);
  const coded = item.slice(0, 8 * leading);
  const scale = scaleOf(coded, 7.5);
  let low = 0;
  let high = 0;
  let residual = 0;
  let length = 0;
  const coefficient = (d: number, nibble: number) => prepared.getInt16(int4Header + 16 * (d >> 3) + 4 * nibble + 2 * ((d >> 2) & 1), true);
  for (const [d, value] of coded.entries()) {
    const code = Math.max(0, Math.min(15, Math.round(value / scale + 7.5)));
    residual += (value / scale - (code - 7.5)) ** 2;
    length += (code - 7.5) ** 2;
    // the highest nibble multiplies c3 alone; the others reach it too, because the kernel does not mask it
    const nibble = d & 3;
    const weight = nibble === 3 ? 4096 * (code - 8) : 16 ** nibble * code;
    high += weight * coefficient(d, 3);
    if (nibble < 2) low += weight * coefficient(d, nibble);
    if (nibble === 2) high += weight * coefficient(d, 2);
  }
  const figure = (f: number) => prepared.getFloat32(4 * f, true);
  const middle = scale * (figure(0) * low + figure(1) * high - figure(2)) + along * figure(6);
  const perScale = figure(4) * Math.sqrt(length) + figure(5) + (figure(7) * Math.hypot(...given)) / scale;
  const error = scale * (figure(3) * Math.sqrt(residual) + perScale) + figure(8) * Math.hypot(...item.slice(8 * leading));
  return { lower: middle - error, upper: middle + error };
}

/** From the 8-bit codes of the second look, in which all dimensions are. */
export function referenceInt8Interval(given: Float32Array, prepared: DataView, { axis, leading }: Int4Shape = {}): Interval {
  const { along, item } = withoutAxis(given, axis);
  const scale = scaleOf(item, 127);
  const first = int4Header + 16 * (leading ?? Math.ceil(given.length / 8));
  let sum = 0;
  let squares = 0;
  for (const [d, value] of item.entries()) {
    const code = Math.round(value / scale);
    squares += (value - scale * code) ** 2;
    sum += code * prepared.getInt16(first + 2 * d, true);
  }
  const figure = (f: number) => prepared.getFloat32(4 * f, true);
  const residual = Math.sqrt(squares) + 2e-5 * Math.sqrt(item.length) * scale; // the kernel's own rounding, and more than scores lose to underflow
  const middle = scale * figure(9) * sum + along * figure(6);
  const error = figure(10) * residual + figure(11) * (Math.abs(along) + Math.hypot(...item) + residual) + figure(12);
  return { lower: middle - error, upper: middle + error };
}

function withoutAxis(given: Float32Array, axis: Float32Array | undefined): { along: number; item: Float64Array } {
  const along = axis ? given.reduce((sum, value, d) => sum + value * axis[d], 0) : 0;
  return { along, item: Float64Array.from(given, (value, d) => value - along * (axis?.[d] ?? 0)) };
}

function scaleOf(values: Float64Array, levels: number): number {
  return Math.max(Math.max(...values.map(Math.abs)) / levels, 2 ** -50);
}
