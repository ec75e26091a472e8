/**
 * A density over the axes of a search space from points: p(x) = Σ_k w_k Π_a K_a(x_a | point k), one product kernel per
 * point and a uniform prior of weight `priorWeight`.
 *   number: normal around the point with deviation h, cut off to [0, 1]; h = max(minBandwidth, bandwidth · n^(−1 / (d + 4))) (Scott 1992)
 *   choice: (1 − b) where it is the point's choice, plus b / size everywhere (Aitchison & Aitken 1976), b = priorWeight / (n + priorWeight)
 * Where an axis is not active at a point its kernel is uniform. Called by tpe.ts.
 */
import type { Random } from "../core/random.js";
import type { Axis, Point } from "./search-space.js";

export interface ParzenOptions {
  /** Weight of the uniform prior, in points. Default 1. */
  priorWeight?: number;
  /** Deviation for one point, in units of the axis. Default 0.15. */
  bandwidth?: number;
  /** Default 0.02. */
  minBandwidth?: number;
}

export interface Parzen {
  draw(random: Random): Point;
  logDensity(point: Point): number;
}

export function createParzen(
  axes: readonly Axis[],
  points: readonly Point[],
  { priorWeight = 1, bandwidth = 0.15, minBandwidth = 0.02 }: ParzenOptions = {},
): Parzen {
  const n = points.length;
  const deviation = Math.max(minBandwidth, bandwidth * Math.max(1, n) ** (-1 / (axes.length + 4)));
  const mixing = priorWeight / (n + priorWeight);
  const kernel = ({ size }: Axis, x: number, center: number | undefined): number => {
    if (center === undefined) return size === undefined ? 1 : 1 / size;
    if (size !== undefined) return (x === center ? 1 - mixing : 0) + mixing / size;
    const z = (x - center) / deviation;
    const inside = normalCdf((1 - center) / deviation) - normalCdf(-center / deviation);
    return Math.exp(-0.5 * z * z) / (deviation * Math.sqrt(2 * Math.PI) * inside);
  };
  const drawOne = ({ size }: Axis, center: number | undefined, random: Random): number => {
    if (size !== undefined) return center === undefined || random.uniform() < mixing ? random.integer(size) : center;
    if (center === undefined) return random.uniform();
    for (;;) {
      const x = center + deviation * random.normal();
      if (x >= 0 && x <= 1) return x;
    }
  };
  return {
    draw(random) {
      const k = Math.floor(random.uniform() * (n + priorWeight));
      const center: Point = k < n ? points[k] : [];
      const point: (number | undefined)[] = [];
      axes.forEach((axis, a) => {
        const active = axis.requires === undefined || point[axis.requires] === 0;
        point.push(active ? drawOne(axis, center[a], random) : undefined);
      });
      return point;
    },
    logDensity(point) {
      let sum = 0;
      for (let k = -1; k < n; k++) {
        let product = k < 0 ? priorWeight : 1;
        axes.forEach((axis, a) => {
          const x = point[a];
          if (x !== undefined) product *= kernel(axis, x, k < 0 ? undefined : points[k][a]);
        });
        sum += product;
      }
      return Math.log(sum / (n + priorWeight));
    },
  };
}

/** Φ(z), to about 1e-7 (Abramowitz & Stegun 7.1.26). */
function normalCdf(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const erf = 1 - t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))) * Math.exp(-x * x);
  return z < 0 ? (1 - erf) / 2 : (1 + erf) / 2;
}
