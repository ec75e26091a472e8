/** The largest values of each row, and whole-number arithmetic on indexes. For scoring: none of it has a gradient. */
import { addNode, constant, type Dimension, op, type Tensor } from "../tensor.js";

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

/** Indexes as numbers. */
export const toFloat = (x: Tensor): Tensor => op("Cast", [x], { attributes: { to: 1 }, outputs: [{ shape: x.shape }] });

/** Row `rows[b]` of every matrix b: x [batch × n × d], rows int64 [batch] → [batch × d]. */
export function rowOfEach(x: Tensor, rows: Tensor): Tensor {
  const [batch, , width] = x.shape;
  const at = op("Unsqueeze", [rows, constant(x.node.graph, [1], [1], "int64")], { outputs: [{ shape: [batch, 1], type: "int64" }] });
  return op("GatherND", [x, at], { attributes: { batch_dims: 1 }, outputs: [{ shape: [batch, width] }] });
}
