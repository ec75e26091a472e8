/**
 * Plain twin of the bound of assembly/top-k-int4.ts: rounds one item to 4-bit codes in float64, takes its sum with a query made ready by
 * `prepareInt4` as the kernel does, and gives the interval that must hold the float32 score. Called by tests only.
 */
import { int4Header } from "../top-k-quantized.js";

/** `prepared`: what `prepareInt4` wrote for the query, with the same axis. */
export function referenceInt4Interval(given: Float32Array, prepared: DataView, axis?: Float32Array): { lower: number; upper: number } {
  const along = axis ? given.reduce((sum, value, d) => sum + value * axis[d], 0) : 0;
  const item = axis ? Float64Array.from(given, (value, d) => value - along * axis[d]) : given;
  const scale = Math.max(Math.max(...item.map(Math.abs)) / 7.5, 2 ** -50);
  let low = 0;
  let high = 0;
  let residual = 0;
  let length = 0;
  const coefficient = (d: number, nibble: number) => prepared.getInt16(int4Header + 16 * (d >> 3) + 4 * nibble + 2 * ((d >> 2) & 1), true);
  for (const [d, value] of item.entries()) {
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
  const middle = figure(0) * low + figure(1) * high - figure(2) + (along * figure(6)) / scale;
  const error = figure(3) * Math.sqrt(residual) + figure(4) * Math.sqrt(length) + figure(5) + (figure(7) * Math.hypot(...given)) / scale;
  return { lower: scale * (middle - error), upper: scale * (middle + error) };
}
