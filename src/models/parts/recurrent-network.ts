/**
 * The graph of the recurrent models: item rows (and the user's vector) through layers of LSTM or GRU, dropout between them, and a last
 * linear layer to the width of the item vectors; its output at a position is compared with all items. Called for training (whole
 * sequences, parts/recurrent-model.ts) and for scoring (pieces that go on from a state, parts/recurrent-encoder.ts).
 */
import { dropout, type LayerContext, linear } from "../../nn/layers.js";
import { multiply } from "../../nn/ops/elementwise.js";
import { gru, lstm } from "../../nn/ops/recurrent.js";
import { concat, expand, reshape, transpose } from "../../nn/ops/shape.js";
import { input, sizeOf, type Tensor } from "../../nn/tensor.js";

export interface RecurrentShape {
  cell: "lstm" | "gru";
  /** Width of item vectors. */
  dimensions: number;
  /** Width of a layer's state. */
  units: number;
  layers: number;
  /** Width of user vectors; 0 = none. */
  userDimensions: number;
}

/** Tensors of a layer's state: output, and for LSTM the cell. */
export const statesPerLayer = (cell: RecurrentShape["cell"]): number => (cell === "lstm" ? 2 : 1);

/**
 * From rows [length · batch × dimensions] in order of time and, with userDimensions, users [batch × userDimensions] to outputs
 * [length · batch × dimensions]. `start`: the state of every layer, where the sequences go on; absent = zeros.
 */
export function recurrentLayers(
  context: LayerContext,
  { rows, users, start }: { rows: Tensor; users?: Tensor; start?: readonly Tensor[] },
  { length, cell, dimensions, units, layers }: RecurrentShape & { length: number },
): { output: Tensor; state: Tensor[] } {
  const { graph, parameters } = context;
  const gates = cell === "lstm" ? 4 : 3;
  const withUser = (x: Tensor) => (users ? concat([x, everyStep(users, length)], 1) : x);
  const state: Tensor[] = [];
  let x = dropout(context, multiply(rows, Math.sqrt(dimensions)));
  for (let layer = 0; layer < layers; layer++) {
    const entering = layer === 0 ? withUser(x) : x;
    const own = (name: string, shape: readonly number[], initial?: "zeros") =>
      parameters.use(graph, `layer${layer}.${name}`, shape, initial);
    const weights = {
      input: own("input", [sizeOf(entering.shape.slice(1)), gates * units]),
      recurrent: own("recurrent", [units, gates * units]),
      bias: own("bias", [gates * units], "zeros"),
      ...(cell === "gru" ? { candidateBias: own("candidateBias", [units], "zeros") } : {}),
    };
    const perLayer = statesPerLayer(cell);
    const result = (cell === "lstm" ? lstm : gru)(entering, weights, {
      length,
      state: start?.slice(layer * perLayer, (layer + 1) * perLayer),
    });
    state.push(...result.state);
    x = dropout(context, result.output);
  }
  return { output: linear(context, withUser(x), "out", dimensions), state };
}

/** As `SequenceNetwork`: rows and outputs in the order of sequences, [batch · length × dimensions]. */
export function recurrentStates(
  context: LayerContext,
  { batch, length }: { batch: number; length: number },
  shape: RecurrentShape,
): Tensor {
  const { graph } = context;
  const { dimensions, userDimensions } = shape;
  const turned = (x: Tensor, from: readonly [number, number]) =>
    reshape(transpose(reshape(x, [...from, dimensions]), [1, 0, 2]), [batch * length, dimensions]);
  const rows = turned(input(graph, "rows", [batch * length, dimensions]), [batch, length]);
  const users = userDimensions > 0 ? input(graph, "users", [batch, userDimensions]) : undefined;
  return turned(recurrentLayers(context, { rows, users }, { ...shape, length }).output, [length, batch]);
}

/** [batch × width] → [length · batch × width]. */
function everyStep(users: Tensor, length: number): Tensor {
  const [batch, width] = users.shape as readonly number[];
  return reshape(expand(reshape(users, [1, batch, width]), [length, batch, width]), [length * batch, width]);
}
