/**
 * Functions with known minima on which samplers are compared (Dixon & Szegő 1978), as search spaces and objectives.
 */
import type { SearchSpace } from "#dist/tuning/search-space.js";

export interface TestFunction {
  name: string;
  space: SearchSpace;
  minimum: number;
  /** One of the places of the minimum. */
  at: readonly number[];
  value(x: readonly number[]): number;
}

function box(ranges: readonly (readonly [number, number])[]): SearchSpace {
  const entries = ranges.map(
    ([low, high], i) => [`x${i + 1}`, { kind: "number", low, high, scale: "linear", whole: false, alternatives: [] }] as const,
  );
  return { searched: Object.fromEntries(entries), fixed: {} };
}

/** −Σ_i α_i exp(−Σ_j A_ij (x_j − P_ij)²) */
function hartmann(a: readonly (readonly number[])[], p: readonly (readonly number[])[]): (x: readonly number[]) => number {
  const alpha = [1, 1.2, 3, 3.2];
  return (x) =>
    -alpha.reduce((sum, weight, i) => sum + weight * Math.exp(-x.reduce((d, xj, j) => d + a[i][j] * (xj - p[i][j]) ** 2, 0)), 0);
}

export const testFunctions: readonly TestFunction[] = [
  {
    name: "branin",
    space: box([
      [-5, 10],
      [0, 15],
    ]),
    minimum: 0.39788735772973816,
    at: [Math.PI, 2.275],
    value: ([x, y]) =>
      (y - (5.1 / (4 * Math.PI ** 2)) * x ** 2 + (5 / Math.PI) * x - 6) ** 2 + 10 * (1 - 1 / (8 * Math.PI)) * Math.cos(x) + 10,
  },
  {
    name: "hartmann-3",
    space: box(Array.from({ length: 3 }, () => [0, 1] as const)),
    minimum: -3.86278,
    at: [0.114614, 0.555649, 0.852547],
    value: hartmann(
      [
        [3, 10, 30],
        [0.1, 10, 35],
        [3, 10, 30],
        [0.1, 10, 35],
      ],
      [
        [0.3689, 0.117, 0.2673],
        [0.4699, 0.4387, 0.747],
        [0.1091, 0.8732, 0.5547],
        [0.0381, 0.5743, 0.8828],
      ],
    ),
  },
  {
    name: "hartmann-6",
    space: box(Array.from({ length: 6 }, () => [0, 1] as const)),
    minimum: -3.32237,
    at: [0.20169, 0.150011, 0.476874, 0.275332, 0.311652, 0.6573],
    value: hartmann(
      [
        [10, 3, 17, 3.5, 1.7, 8],
        [0.05, 10, 17, 0.1, 8, 14],
        [3, 3.5, 1.7, 10, 17, 8],
        [17, 8, 0.05, 10, 0.1, 14],
      ],
      [
        [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
        [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
        [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.665],
        [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
      ],
    ),
  },
];
