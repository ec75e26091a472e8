/** Matrix products: `gemm` for matrices, `batchedProduct` for stacks of them. */
import { type Dimension, misfit, op, type Tensor } from "../tensor.js";
import { add } from "./elementwise.js";
import { sumTo } from "./reduce.js";

export interface ProductOptions {
  transposeA?: boolean;
  transposeB?: boolean;
  /** Factor of the product. Default 1. */
  alpha?: number;
}

export interface GemmOptions extends ProductOptions {
  /** Added to the product: [n] or [m × n]. */
  bias?: Tensor;
}

/** A bias row is cheaper as an Add from this many rows on. */
const ROWS_FOR_ADD = 1024;

/** alpha · op(a) op(b) + bias for matrices. Throws ConfigError naming both shapes. */
export function gemm(a: Tensor, b: Tensor, options: GemmOptions = {}): Tensor {
  const { transposeA = false, transposeB = false, alpha = 1, bias } = options;
  const [m, , n] = productSizes("Gemm", a, b, options);
  if (a.shape.length !== 2 || b.shape.length !== 2) misfit("Gemm", a.shape, b.shape);
  if (bias && bias.shape.length === 1 && typeof m === "number" && m >= ROWS_FOR_ADD)
    return add(gemm(a, b, { ...options, bias: undefined }), bias);
  if (bias && bias.shape.at(-1) !== n && bias.shape.at(-1) !== 1) misfit("Gemm (bias)", [m, n], bias.shape);
  return op("Gemm", bias ? [a, b, bias] : [a, b], {
    attributes: { transA: transposeA ? 1 : 0, transB: transposeB ? 1 : 0, alpha: { float: alpha } },
    outputs: [{ shape: [m, n] }],
    gradient: ([g]) => [
      transposeA ? gemm(b, g!, { transposeA: transposeB, transposeB: true, alpha }) : gemm(g!, b, { transposeB: !transposeB, alpha }),
      transposeB ? gemm(g!, a, { transposeA: true, transposeB: transposeA, alpha }) : gemm(a, g!, { transposeA: !transposeA, alpha }),
      ...(bias ? [sumTo(g!, bias.shape)] : []),
    ],
  });
}

/** alpha · op(a) op(b) over the last two axes; the leading ones must be equal. */
export function batchedProduct(a: Tensor, b: Tensor, options: ProductOptions = {}): Tensor {
  const { transposeA = false, transposeB = false, alpha = 1 } = options;
  const [m, , n] = productSizes("MatMul", a, b, options);
  const batch = a.shape.slice(0, -2);
  if (a.shape.length !== b.shape.length || batch.some((size, axis) => size !== b.shape[axis])) misfit("MatMul", a.shape, b.shape);
  return op("FusedMatMul", [a, b], {
    domain: "com.microsoft",
    attributes: { transA: transposeA ? 1 : 0, transB: transposeB ? 1 : 0, alpha: { float: alpha } },
    outputs: [{ shape: [...batch, m, n] }],
    gradient: ([g]) => [
      transposeA
        ? batchedProduct(b, g!, { transposeA: transposeB, transposeB: true, alpha })
        : batchedProduct(g!, b, { transposeB: !transposeB, alpha }),
      transposeB
        ? batchedProduct(g!, a, { transposeA: true, transposeB: transposeA, alpha })
        : batchedProduct(a, g!, { transposeA: !transposeA, alpha }),
    ],
  });
}

/** Rows, inner size and columns of the product. */
function productSizes(
  operator: string,
  a: Tensor,
  b: Tensor,
  { transposeA, transposeB }: ProductOptions,
): [Dimension, Dimension, Dimension] {
  if (a.shape.length < 2 || b.shape.length < 2) misfit(operator, a.shape, b.shape);
  const [m, k] = transposeA ? [a.shape.at(-1)!, a.shape.at(-2)!] : [a.shape.at(-2)!, a.shape.at(-1)!];
  const [inner, n] = transposeB ? [b.shape.at(-1)!, b.shape.at(-2)!] : [b.shape.at(-2)!, b.shape.at(-1)!];
  if (k !== inner) misfit(operator, a.shape, b.shape);
  return [m, k, n];
}
