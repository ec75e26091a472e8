/**
 * What a search varies: every parameter is a range of numbers, a list of choices, or fixed. Samplers see the space as
 * axes: a number lies in [0, 1] (on its log scale where it has one; whole numbers own equal shares), a choice is an index.
 * A range with alternatives (a number, or "auto", or none) becomes two axes, the second active only where a number was chosen.
 */
import type { TrialParams } from "../core/trials.js";

/** Numbers from `low` to `high`, both included, or one of `alternatives`; undefined among these = leave the parameter out. */
export interface NumberRange {
  kind: "number";
  low: number;
  high: number;
  scale: "linear" | "log";
  whole: boolean;
  alternatives: readonly unknown[];
}

export interface Choices {
  kind: "choice";
  /** At least one; JSON values, undefined = leave the parameter out. */
  values: readonly unknown[];
}

export interface SearchSpace {
  /** What is varied. */
  searched: Readonly<Record<string, NumberRange | Choices>>;
  /** Parameters that are the same in all trials. */
  fixed: TrialParams;
}

export interface Axis {
  param: string;
  /** Number of choices; undefined for a number. */
  size?: number;
  /** The axis is active only when that axis stands at its choice 0 (= "a number"). */
  requires?: number;
}

/** A place for each axis: in [0, 1], or the index of a choice; undefined where the axis is not active. */
export type Point = readonly (number | undefined)[];

export function axesOf({ searched }: SearchSpace): Axis[] {
  const axes: Axis[] = [];
  for (const [param, dimension] of Object.entries(searched)) {
    if (dimension.kind === "choice") axes.push({ param, size: dimension.values.length });
    else if (dimension.alternatives.length === 0) axes.push({ param });
    else axes.push({ param, size: 1 + dimension.alternatives.length }, { param, requires: axes.length });
  }
  return axes;
}

/** The parameters at a point of the axes. */
export function paramsAt(space: SearchSpace, axes: readonly Axis[], point: Point): TrialParams {
  const params: Record<string, unknown> = { ...space.fixed };
  axes.forEach(({ param, size }, a) => {
    const place = point[a];
    if (place === undefined) return;
    const dimension = space.searched[param];
    if (dimension.kind === "choice") params[param] = dimension.values[place];
    else if (size === undefined) params[param] = numberAt(dimension, place);
    else if (place > 0) params[param] = dimension.alternatives[place - 1];
  });
  return Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined));
}

/** The point of given parameters, numbers clamped to their range; undefined when a value is none of the choices. */
export function pointOf(space: SearchSpace, axes: readonly Axis[], params: TrialParams): Point | undefined {
  const point: (number | undefined)[] = [];
  for (const { param, size, requires } of axes) {
    const dimension = space.searched[param];
    const value = params[param];
    if (requires !== undefined && point[requires] !== 0) point.push(undefined);
    else if (size === undefined) {
      if (typeof value !== "number") return undefined;
      point.push(placeOf(dimension as NumberRange, value));
    } else {
      const choices = dimension.kind === "choice" ? dimension.values : [undefined, ...dimension.alternatives];
      const index = dimension.kind === "number" && typeof value === "number" ? 0 : choices.lastIndexOf(value);
      if (index < 0) return undefined;
      point.push(index);
    }
  }
  return point;
}

/** How many different trials there are; Infinity when a real number is searched. */
export function sizeOf({ searched }: SearchSpace): number {
  return Object.values(searched).reduce((size, dimension) => size * countOf(dimension), 1);
}

function countOf(dimension: NumberRange | Choices): number {
  if (dimension.kind === "choice") return dimension.values.length;
  return dimension.alternatives.length + (dimension.whole ? Math.floor(dimension.high) - Math.ceil(dimension.low) + 1 : Infinity);
}

/** Values of one parameter of a grid: all choices, and `points` numbers over the range (all whole ones when they are not more). */
export function gridValues(dimension: NumberRange | Choices, points: number): unknown[] {
  if (dimension.kind === "choice") return [...dimension.values];
  const { low, high, whole, alternatives } = dimension;
  if (whole && high - low + 1 <= points) return [...alternatives, ...Array.from({ length: high - low + 1 }, (_, i) => low + i)];
  const [from, to] = [toScale(dimension, low), toScale(dimension, high)];
  const spread = Array.from({ length: points }, (_, i) =>
    rounded(dimension, fromScale(dimension, from + ((to - from) * i) / (points - 1))),
  );
  return [...alternatives, ...new Set(points === 1 ? [numberAt(dimension, 0.5)] : spread)];
}

/** The values of a finite space, parameter by parameter; a grid of everything. */
export function allValues({ searched }: SearchSpace): Record<string, unknown[]> {
  return Object.fromEntries(
    Object.entries(searched).map(([param, dimension]) => [param, gridValues(dimension, Math.max(2, countOf(dimension)))]),
  );
}

/** Combination `index` of the lists, the last one running fastest. */
export function combinationAt(lists: Readonly<Record<string, readonly unknown[]>>, index: number): Record<string, unknown> {
  const params: Record<string, unknown> = {};
  let rest = index;
  for (const [param, values] of Object.entries(lists).reverse()) {
    params[param] = values[rest % values.length];
    rest = Math.floor(rest / values.length);
  }
  return Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined));
}

const toScale = ({ scale }: NumberRange, value: number) => (scale === "log" ? Math.log(value) : value);
const fromScale = ({ scale }: NumberRange, value: number) => (scale === "log" ? Math.exp(value) : value);

/** Ends of the range on its scale; half a step is added to whole numbers, so that each owns its surroundings. */
function endsOf(range: NumberRange): [number, number] {
  const half = range.whole ? 0.5 : 0;
  return [toScale(range, range.low - half), toScale(range, range.high + half)];
}

function numberAt(range: NumberRange, place: number): number {
  const [from, to] = endsOf(range);
  return rounded(range, fromScale(range, from + (to - from) * place));
}

/** Six significant digits are enough for a parameter, and read well in a recipe. */
function rounded({ whole, low, high }: NumberRange, value: number): number {
  return Math.min(high, Math.max(low, whole ? Math.round(value) : Number(value.toPrecision(6))));
}

function placeOf(range: NumberRange, value: number): number {
  const [from, to] = endsOf(range);
  const clamped = Math.min(range.high, Math.max(range.low, value));
  return to > from ? (toScale(range, clamped) - from) / (to - from) : 0.5;
}
