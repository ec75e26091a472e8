/**
 * Cross layers of DCN-v2 (Wang et al. 2021): each multiplies the first input x₀ by what it makes of the last, so that l layers hold
 * feature crosses of up to l + 1 factors.  full: layers.ts (crossLayer);  low-rank and mixture here; `crossMatrix` for explanations.
 */
import type { LayerContext } from "./layers.js";
import { add, multiply, tanh } from "./ops/elementwise.js";
import { gemm } from "./ops/matrix.js";
import { softmax } from "./ops/normalize.js";
import { split } from "./ops/shape.js";
import type { Parameters } from "./parameters.js";
import { sizeOf, type Tensor } from "./tensor.js";

export interface CrossOptions {
  kind: "full" | "low-rank" | "mixture";
  /** Of low-rank and mixture. */
  rank: number;
  /** Of mixture. */
  experts: number;
}

/** x₀ ∘ (x V U + b) + x, with V [width × rank] and U [rank × width]: [n × width] → [n × width]. */
export function lowRankCrossLayer(context: LayerContext, first: Tensor, x: Tensor, { name, rank }: { name: string; rank: number }): Tensor {
  const { graph, parameters } = context;
  const width = sizeOf(x.shape.slice(-1));
  const inner = gemm(x, parameters.use(graph, `${name}.V`, [width, rank]));
  const bias = parameters.use(graph, `${name}.bias`, [width], "zeros");
  return add(multiply(first, gemm(inner, parameters.use(graph, `${name}.U`, [rank, width]), { bias })), x);
}

/** Σ_k softmax(x G)_k · x₀ ∘ (tanh(tanh(x V_k) C_k) U_k + b) + x: low-rank experts in subspaces of their own. */
export function mixtureCrossLayer(
  context: LayerContext,
  first: Tensor,
  x: Tensor,
  { name, rank, experts }: { name: string; rank: number; experts: number },
): Tensor {
  const { graph, parameters } = context;
  const width = sizeOf(x.shape.slice(-1));
  const shares = split(softmax(gemm(x, parameters.use(graph, `${name}.gate`, [width, experts]))), new Array(experts).fill(1), 1);
  const bias = parameters.use(graph, `${name}.bias`, [width], "zeros");
  const mixed = shares
    .map((share, k) => {
      const inner = tanh(gemm(x, parameters.use(graph, `${name}.V${k}`, [width, rank])));
      const core = tanh(gemm(inner, parameters.use(graph, `${name}.C${k}`, [rank, rank])));
      return multiply(gemm(core, parameters.use(graph, `${name}.U${k}`, [rank, width]), { bias }), share);
    })
    .reduce((sum, part) => add(sum, part));
  return add(multiply(first, mixed), x);
}

/**
 * The matrix between x and x₀ in a cross layer, width × width, row = what is read, column = the part of x₀ that it multiplies: W, V U, or
 * the mean of V_k C_k U_k (as if nothing saturated).
 */
export function crossMatrix(parameters: Parameters, name: string, { kind, experts }: CrossOptions): Float32Array {
  const find = (suffix: string) => parameters.list.find((parameter) => parameter.name === `${name}.${suffix}`)!;
  if (kind === "full") return find("weight").values;
  if (kind === "low-rank") return product(find("V"), find("U")).values;
  const parts = Array.from({ length: experts }, (_, k) => product(product(find(`V${k}`), find(`C${k}`)), find(`U${k}`)).values);
  return parts[0].map((_, at) => parts.reduce((sum, part) => sum + part[at] / experts, 0));
}

interface Matrix {
  shape: readonly number[];
  values: Float32Array;
}

function product(a: Matrix, b: Matrix): Matrix {
  const [rows, inner] = a.shape;
  const columns = b.shape[1];
  const values = new Float32Array(rows * columns);
  for (let r = 0; r < rows; r++)
    for (let k = 0; k < inner; k++)
      for (let c = 0; c < columns; c++) values[r * columns + c] += a.values[r * inner + k] * b.values[k * columns + c];
  return { shape: [rows, columns], values };
}
