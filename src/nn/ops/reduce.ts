/** Sums and means over axes. Sums over leading axes of many rows run as a product with a row of ones, which onnxruntime does faster. */

import { ConfigError } from "../../core/errors.js";
import { type Dimension, filled, integers, op, type Shape, sameShape, shapeText, sizeOf, type Tensor } from "../tensor.js";
import { multiply } from "./elementwise.js";
import { gemm } from "./matrix.js";
import { expand, reshape } from "./shape.js";

const LEAST_ROWS = 64;
const MOST_COLUMNS = 8192;

/** Axes from 0; throws ConfigError for one the tensor has not. */
export function checkAxes(operator: string, x: Tensor, axes: readonly number[]): number[] {
  const rank = x.shape.length;
  return axes.map((axis) => {
    const from0 = axis < 0 ? axis + rank : axis;
    if (!(from0 >= 0 && from0 < rank))
      throw new ConfigError(`${operator} over axis ${axis} of a tensor ${shapeText(x.shape)}.`, {
        hint: `Axes run from ${-rank} to ${rank - 1}.`,
      });
    return from0;
  });
}

const reducedShape = (shape: Shape, axes: readonly number[], keep: boolean): Dimension[] =>
  shape.map((size, axis) => (axes.includes(axis) ? 1 : size)).filter((_, axis) => keep || !axes.includes(axis));

/** Sum over axes, all by default; `keep` leaves them with size 1. */
export function sum(x: Tensor, over: readonly number[] = x.shape.map((_, axis) => axis), { keep = false } = {}): Tensor {
  const axes = checkAxes("Sum", x, over);
  if (axes.length === 0) return x;
  const shape = reducedShape(x.shape, axes, keep);
  const leading = axes.length < x.shape.length && axes.every((axis, k) => axis === k);
  if (leading && x.shape.every((size) => typeof size === "number")) {
    const rows = sizeOf(x.shape.slice(0, axes.length));
    const columns = sizeOf(x.shape) / rows;
    if (rows >= LEAST_ROWS && columns <= MOST_COLUMNS)
      return reshape(gemm(filled(x.node.graph, 1, [1, rows]), reshape(x, [rows, columns])), shape);
  }
  return op("ReduceSum", [x, integers(x.node.graph, axes)], {
    attributes: { keepdims: keep ? 1 : 0 },
    outputs: [{ shape }],
    gradient: ([g]) => [expand(reshape(g!, reducedShape(x.shape, axes, true)), x.shape), undefined],
  });
}

/** Mean over axes of fixed sizes, all by default. */
export function mean(x: Tensor, over: readonly number[] = x.shape.map((_, axis) => axis), { keep = false } = {}): Tensor {
  const count = checkAxes("Mean", x, over).reduce((product, axis) => product * sizeOf([x.shape[axis]]), 1);
  return multiply(sum(x, over, { keep }), 1 / count);
}

/** Mean of the last axis, kept, whatever the other sizes. */
export function meanOfLast(x: Tensor): Tensor {
  return op("ReduceMean", [x, integers(x.node.graph, [-1])], {
    attributes: { keepdims: 1 },
    outputs: [{ shape: [...x.shape.slice(0, -1), 1] }],
    gradient: ([g]) => [expand(multiply(g!, 1 / sizeOf(x.shape.slice(-1))), x.shape), undefined],
  });
}

/** The inverse of a broadcast: sums of the axes that were stretched. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const added = x.shape.length - shape.length;
  const axes = x.shape.flatMap((size, axis) => (axis < added || (shape[axis - added] === 1 && size !== 1) ? [axis] : []));
  return reshape(sum(x, axes, { keep: true }), shape);
}
