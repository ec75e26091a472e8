/** Moving values without computing: reshape, transpose, expand, concat, slice, split. */
import { ConfigError } from "../../core/errors.js";
import { addNode, type Dimension, filled, integers, misfit, op, type Shape, sameShape, sizeOf, type Tensor, volume } from "../tensor.js";
import { checkAxes, sumTo } from "./reduce.js";

/** Same values in another shape. At most one size may be known at run time only, and both shapes must have it (or a multiple). */
export function reshape(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const [before, after] = [volume(x.shape), volume(shape)];
  if (before.count !== after.count || after.names.length > 1 || !sameShape(before.names, after.names)) misfit("Reshape", x.shape, shape);
  if (x.node.operator === "Reshape") return reshape(x.node.inputs[0]!, shape);
  const sizes = shape.map((size) => (typeof size === "string" ? -1 : size));
  return op("Reshape", [x, integers(x.node.graph, sizes)], {
    outputs: [{ shape, type: x.type }],
    gradient: ([g]) => [reshape(g!, x.shape), undefined],
  });
}

/** Axis k of the result is axis `order[k]` of the tensor. */
export function transpose(x: Tensor, order: readonly number[]): Tensor {
  const axes = checkAxes("Transpose", x, order);
  if (new Set(axes).size !== x.shape.length)
    throw new ConfigError(`Transpose by [${order}] is no order of ${x.shape.length} axes.`, { hint: "Name every axis once." });
  const inverse = axes.map((_, axis) => axes.indexOf(axis));
  if (x.node.operator === "Transpose" && sameShape(x.node.attributes.perm as readonly number[], inverse)) return x.node.inputs[0]!;
  return op("Transpose", [x], {
    attributes: { perm: axes },
    outputs: [{ shape: axes.map((axis) => x.shape[axis]), type: x.type }],
    gradient: ([g]) => [transpose(g!, inverse)],
  });
}

/**
 * The transpose of a matrix, written out: onnxruntime turns a Transpose of a matrix into a flag of the products beside it, which then
 * rearrange it every time. For a matrix that many products read.
 */
export function transposed(x: Tensor): Tensor {
  if (x.shape.length !== 2) misfit("Transpose", x.shape, [2]);
  const [rows, columns] = x.shape;
  return reshape(transpose(reshape(x, [1, rows, columns]), [0, 2, 1]), [columns, rows]);
}

/** Repeats along axes of size 1. */
export function expand(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  sizeOf(shape);
  return op("Expand", [x, integers(x.node.graph, shape as readonly number[])], {
    outputs: [{ shape }],
    gradient: ([g]) => [sumTo(g!, x.shape), undefined],
  });
}

/** Along an axis; all other sizes must agree. */
export function concat(parts: readonly Tensor[], axis: number): Tensor {
  if (parts.length === 1) return parts[0];
  const [at] = checkAxes("Concat", parts[0], [axis]);
  for (const part of parts)
    if (part.shape.length !== parts[0].shape.length || part.shape.some((size, other) => other !== at && size !== parts[0].shape[other]))
      misfit("Concat", parts[0].shape, part.shape);
  const sizes = parts.map((part) => sizeOf([part.shape[at]]));
  const shape = parts[0].shape.with(
    at,
    sizes.reduce((a, b) => a + b, 0),
  );
  return op("Concat", parts, {
    attributes: { axis: at },
    outputs: [{ shape, type: parts[0].type }],
    gradient: ([g]) => split(g!, sizes, at),
  });
}

/** Entries [begin, end) of an axis. */
export function slice(x: Tensor, axis: number, range: readonly [number, number]): Tensor {
  const [at] = checkAxes("Slice", x, [axis]);
  const size = sizeOf([x.shape[at]]);
  const [begin, end] = range;
  if (!(begin >= 0 && begin < end && end <= size))
    throw new ConfigError(`Slice [${begin}, ${end}) of an axis of ${size}.`, { hint: "Begin and end lie within the axis." });
  const { graph } = x.node;
  const zeros = (length: number) => filled(graph, 0, x.shape.with(at, length));
  return op("Slice", [x, integers(graph, [begin]), integers(graph, [end]), integers(graph, [at])], {
    outputs: [{ shape: x.shape.with(at, end - begin), type: x.type }],
    gradient: ([g]) => [concat([...(begin > 0 ? [zeros(begin)] : []), g!, ...(end < size ? [zeros(size - end)] : [])], at)],
  });
}

/** Consecutive parts of the given sizes along an axis. */
export function split(x: Tensor, sizes: readonly number[], axis: number): readonly Tensor[] {
  const [at] = checkAxes("Split", x, [axis]);
  if (sizes.length === 1) return [x];
  if (sizes.reduce((a, b) => a + b, 0) !== x.shape[at]) misfit("Split", x.shape, sizes as Dimension[]);
  const { graph } = x.node;
  return addNode("Split", [x, integers(graph, sizes)], {
    attributes: { axis: at },
    outputs: sizes.map((size) => ({ shape: x.shape.with(at, size), type: x.type })),
    gradient: (gs) => [
      concat(
        gs.map((g, part) => g ?? filled(graph, 0, x.shape.with(at, sizes[part]))),
        at,
      ),
      undefined,
    ],
  }).outputs;
}
