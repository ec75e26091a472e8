/**
 * What a sampler is: given what is known when trial `index` is asked for, where it shall be. Pure: the same question gets
 * the same answer, so a search that was cut off goes on as if nothing had happened. Also the samplers that do not learn:
 * random (uniform), sobol (scrambled low-discrepancy points) and grid (in the order of a seeded shuffle).
 */
import { ConfigError } from "../core/errors.js";
import { createRandom, type Random } from "../core/random.js";
import type { TrialParams } from "../core/trials.js";
import { type Axis, combinationAt, gridValues, type Point, paramsAt, type SearchSpace } from "./search-space.js";
import { sobolPoint } from "./sobol.js";

export interface Question {
  space: SearchSpace;
  axes: readonly Axis[];
  /** 0, 1, 2 … over what the sampler itself proposes. */
  index: number;
  seed: number;
  /** Seeded by trial and attempt. */
  random: Random;
  /** Finished trials, best first. */
  ranked: readonly Point[];
  /** Trials whose results may not be known yet. */
  pending: readonly Point[];
}

export interface Sampler {
  name: string;
  /** How many trials it has to offer; undefined = any number. */
  size?(space: SearchSpace): number;
  propose(question: Question): TrialParams;
}

export const randomSampler: Sampler = {
  name: "random",
  propose: ({ space, axes, random }) =>
    paramsAt(
      space,
      axes,
      fromUnit(axes, () => random.uniform()),
    ),
};

export const sobolSampler: Sampler = {
  name: "sobol",
  propose: ({ space, axes, index, seed }) => paramsAt(space, axes, sobolStart(axes, index, seed)),
};

/** Numbers take `points` values over their range, ends included. */
export function gridSampler({ points = 5 }: { points?: number } = {}): Sampler {
  const listsOf = ({ searched }: SearchSpace) =>
    Object.fromEntries(Object.entries(searched).map(([param, dimension]) => [param, gridValues(dimension, points)]));
  const size = (space: SearchSpace) => Object.values(listsOf(space)).reduce((product, values) => product * values.length, 1);
  return {
    name: "grid",
    size,
    propose({ space, index, seed }) {
      const count = size(space);
      if (count > 1e6)
        throw new ConfigError(`The grid has ${count.toLocaleString("en")} points.`, {
          hint: "Fix some parameters, give short lists, or use another sampler.",
        });
      const order = createRandom(seed).shuffle(Int32Array.from({ length: count }, (_, i) => i));
      return { ...space.fixed, ...combinationAt(listsOf(space), order[index]) };
    },
  };
}

/** Point `index` of the scrambled Sobol sequence. */
export function sobolStart(axes: readonly Axis[], index: number, seed: number): Point {
  const coordinates = sobolPoint(index, axes.length, seed);
  return fromUnit(axes, (a) => coordinates[a]);
}

/** Turns coordinates in [0, 1) into a point; axes that are not active are left empty. */
export function fromUnit(axes: readonly Axis[], coordinate: (axis: number) => number): Point {
  const point: (number | undefined)[] = [];
  axes.forEach(({ size, requires }, a) => {
    const unit = coordinate(a);
    const active = requires === undefined || point[requires] === 0;
    point.push(active ? (size === undefined ? unit : Math.floor(unit * size)) : undefined);
  });
  return point;
}
