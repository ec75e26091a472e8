/** Linear axes of the charts, with round ticks. */

export interface Axis {
  /** Pixels of a value. */
  at(value: number): number;
  ticks: { value: number; text: string }[];
}

/** From the values that must fit to pixels `from` … `to`; about `count` ticks, the ends of the axis at round numbers. */
export function linearAxis(values: readonly number[], [from, to]: readonly [number, number], count = 4): Axis {
  const finite = values.filter(Number.isFinite);
  let min = finite.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  let max = finite.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  if (finite.length === 0) [min, max] = [0, 1];
  if (max - min <= 1e-12 * Math.max(Math.abs(min), Math.abs(max))) {
    const reach = Math.abs(min) * 0.1 || 0.5;
    [min, max] = [min - reach, max + reach];
  }
  const rough = (max - min) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.floor(min / step + 1e-9);
  const last = Math.ceil(max / step - 1e-9);
  const at = (value: number) => from + ((value - first * step) / ((last - first) * step)) * (to - from);
  return {
    at,
    ticks: Array.from({ length: last - first + 1 }, (_, t) => (first + t) * step).map((value) => ({ value, text: tickText(value, step) })),
  };
}

function tickText(value: number, step: number): string {
  if (Math.abs(value) >= 10_000) return value.toLocaleString("en", { notation: "compact", maximumSignificantDigits: 4 });
  return value.toFixed(Math.min(8, Math.max(0, -Math.floor(Math.log10(step) + 1e-9))));
}
