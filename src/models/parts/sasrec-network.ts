/**
 * The graph of SASRec: item rows · √d + positions, dropout, transformer blocks, a last normalisation; its state at a position is
 * compared with all items. Called by sasrec for training (with a loss) and for scoring (state of the last position).
 */

import { dropout, type LayerContext, normalized, transformerBlock } from "../../nn/layers.js";
import { add, multiply } from "../../nn/ops/elementwise.js";
import { reshape, slice } from "../../nn/ops/shape.js";
import { input, type Tensor, times } from "../../nn/tensor.js";
import type { SequenceShape } from "./sequence-encoder.js";

export interface SasrecShape {
  dimensions: number;
  blocks: number;
  heads: number;
  maxLength: number;
}

/** State after every position: [batch · length × dimensions]; item rows are the input `rows`. */
export function sasrecState(context: LayerContext, { batch, length }: SequenceShape, shape: SasrecShape): Tensor {
  const { graph, parameters } = context;
  const { dimensions, blocks, heads, maxLength } = shape;
  const rows = input(graph, "rows", [times(batch, length), dimensions]);
  const positions = parameters.use(graph, "positions", [maxLength, dimensions], 0.02);
  const own = length === maxLength ? positions : slice(positions, 0, [0, length]);
  const placed = add(reshape(multiply(rows, Math.sqrt(dimensions)), [batch, length, dimensions]), own);
  let state = dropout(context, reshape(placed, [times(batch, length), dimensions]));
  for (let block = 0; block < blocks; block++)
    state = transformerBlock(context, state, `block${block}`, { batch, length, heads, causal: true, hidden: dimensions });
  return normalized(context, state, "last");
}
