/** Softmax and layer normalisation over the last axis. */
import { addNode, filled, misfit, op, type Tensor } from "../tensor.js";
import { multiply, subtract } from "./elementwise.js";
import { meanOfLast, sum, sumTo } from "./reduce.js";

export function softmax(x: Tensor): Tensor {
  const value: Tensor = op("Softmax", [x], {
    attributes: { axis: -1 },
    outputs: [{ shape: x.shape }],
    // dx = y (g − Σ g y)
    gradient: ([g]) => {
      const weighted = multiply(g!, value);
      return [subtract(weighted, multiply(value, sum(weighted, [-1], { keep: true })))];
    },
  });
  return value;
}

/** (x − mean) / √(variance + epsilon) · gain + bias (Ba, Kiros & Hinton 2016); gain and bias: [size of the last axis], absent = 1 and 0. */
export function layerNormalization(
  x: Tensor,
  { gain, bias, epsilon = 1e-5 }: { gain?: Tensor; bias?: Tensor; epsilon?: number } = {},
): Tensor {
  const width = x.shape.slice(-1);
  const { graph } = x.node;
  for (const row of [gain, bias])
    if (row && (row.shape.length !== 1 || row.shape[0] !== width[0])) misfit("LayerNormalization", x.shape, row.shape);
  const row = [...x.shape.slice(0, -1), 1];
  const node = addNode("LayerNormalization", [x, gain ?? filled(graph, 1, width), bias ?? filled(graph, 0, width)], {
    attributes: { axis: -1, epsilon: { float: epsilon } },
    outputs: [{ shape: x.shape }, { shape: row }, { shape: row }],
    gradient: ([g]) => {
      const [value, mean, inverse] = node.outputs;
      const unit = gain || bias ? multiply(subtract(x, mean), inverse) : value;
      const scaled = gain ? multiply(g!, gain) : g!;
      // dx = (s − mean(s) − x̂ · mean(s x̂)) / sd
      const centred = subtract(subtract(scaled, meanOfLast(scaled)), multiply(unit, meanOfLast(multiply(scaled, unit))));
      return [multiply(centred, inverse), gain && sumTo(multiply(g!, unit), width), bias && sumTo(g!, width)];
    },
  });
  return node.outputs[0];
}
