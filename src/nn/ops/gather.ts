/**
 * Picking rows inside the graph. Tables of users and items stay outside (sparse-table.ts); these are for tables small enough that a
 * dense gradient is fine, and for picking positions out of a batch.
 */
import { filled, misfit, op, sizeOf, type Tensor } from "../tensor.js";
import { reshape } from "./shape.js";

/** Rows of `table` at `rows` (int64 or int32, any shape): shape of `rows` × shape of a row. */
export function gather(table: Tensor, rows: Tensor): Tensor {
  const row = table.shape.slice(1);
  return op("Gather", [table, rows], {
    attributes: { axis: 0 },
    outputs: [{ shape: [...rows.shape, ...row], type: table.type }],
    gradient: ([g]) => {
      const count = sizeOf(rows.shape);
      return [scatterAdd(table, reshape(rows, [count, 1]), reshape(g!, [count, ...row])), undefined];
    },
  });
}

/** Zeros like `table`, with `updates` added at the rows `rows` ([count × 1]). */
function scatterAdd(table: Tensor, rows: Tensor, updates: Tensor): Tensor {
  return op("ScatterND", [filled(table.node.graph, 0, table.shape), rows, updates], {
    attributes: { reduction: "add" },
    outputs: [{ shape: table.shape }],
  });
}

/** One value per row: x[r, columns[r]]; x [n × m], columns [n × 1] int64. */
export function pick(x: Tensor, columns: Tensor): Tensor {
  if (x.shape.length !== 2 || columns.shape.length !== 2 || columns.shape[0] !== x.shape[0])
    misfit("GatherElements", x.shape, columns.shape);
  return op("GatherElements", [x, columns], {
    attributes: { axis: -1 },
    outputs: [{ shape: columns.shape }],
    gradient: ([g]) => [
      op("ScatterElements", [filled(x.node.graph, 0, x.shape), columns, g!], {
        attributes: { axis: -1, reduction: "add" },
        outputs: [{ shape: x.shape }],
      }),
      undefined,
    ],
  });
}
