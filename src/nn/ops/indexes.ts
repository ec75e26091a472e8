/**
 * What exported files do with indexes: the largest values of each row, arithmetic on whole numbers, rows of a table by sets of indexes.
 * None of it has a gradient of its own.
 */
import { addNode, constant, type Dimension, op, scalar, type Tensor } from "../tensor.js";
import { multiply } from "./elementwise.js";
import { gather } from "./gather.js";
import { batchedProduct } from "./matrix.js";
import { sum } from "./reduce.js";
import { reshape } from "./shape.js";

/** The `count` (int64, [1]) largest of each row, best first, equal ones by ascending column; columns are int64. `size` names their number. */
export function topK(x: Tensor, count: Tensor, size: Dimension): { values: Tensor; columns: Tensor } {
  const shape = [...x.shape.slice(0, -1), size];
  const [values, columns] = addNode("TopK", [x, count], {
    attributes: { axis: -1, largest: 1, sorted: 1 },
    outputs: [{ shape }, { shape, type: "int64" }],
  }).outputs;
  return { values, columns };
}

/** Whole numbers with one operand, element by element. */
export const integerMath = (operator: "Add" | "Sub" | "Max" | "Min", x: Tensor, by: number): Tensor =>
  op(operator, [x, constant(x.node.graph, [by], [], "int64")], { outputs: [{ shape: x.shape, type: "int64" }] });

/** The larger of a number and each value. */
export const maximum = (x: Tensor, by: number): Tensor => op("Max", [x, scalar(x.node.graph, by)], { outputs: [{ shape: x.shape }] });

/** Each value to a power. */
export const power = (x: Tensor, exponent: number): Tensor =>
  op("Pow", [x, scalar(x.node.graph, exponent)], { outputs: [{ shape: x.shape }] });

/** Indexes as numbers. */
export const toFloat = (x: Tensor): Tensor => op("Cast", [x], { attributes: { to: 1 }, outputs: [{ shape: x.shape }] });

/** With a new axis of size 1 before `axis`, whatever the other sizes. */
export const unsqueezed = (x: Tensor, axis: number): Tensor =>
  op("Unsqueeze", [x, constant(x.node.graph, [axis], [1], "int64")], { outputs: [{ shape: x.shape.toSpliced(axis, 0, 1), type: x.type }] });

/** Rows of a table at `rows` (int64, any shape), zeros for −1. */
export const rowsOrZeros = (table: Tensor, rows: Tensor): Tensor =>
  multiply(gather(table, integerMath("Max", rows, 0)), unsqueezed(isIndex(rows), rows.shape.length));

/** Row `rows[b]` of every matrix b: x [batch × n × d], rows int64 [batch] → [batch × d]. */
export function rowOfEach(x: Tensor, rows: Tensor): Tensor {
  const [batch, , width] = x.shape;
  return op("GatherND", [x, unsqueezed(rows, 1)], { attributes: { batch_dims: 1 }, outputs: [{ shape: [batch, width] }] });
}

/** 1 for indexes, 0 for −1. */
export function isIndex(x: Tensor): Tensor {
  const none = constant(x.node.graph, [-1], [], "int64");
  return toFloat(op("Greater", [x, none], { outputs: [{ shape: x.shape, type: "bool" }] }));
}

/** Sum of the rows of a table [n × d] at `rows` (int64 [batch × length], −1 where there is none), and how many they are ([batch × 1]). */
export function sumOfRows(table: Tensor, rows: Tensor): { sum: Tensor; count: Tensor } {
  const [batch] = rows.shape;
  const known = isIndex(rows);
  const added = batchedProduct(unsqueezed(known, 1), gather(table, integerMath("Max", rows, 0)));
  return { sum: reshape(added, [batch, table.shape[1]]), count: sum(known, [1], { keep: true }) };
}
