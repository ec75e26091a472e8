/**
 * The graphs of Mult-VAE. The first layer is a sum of item rows made outside (`rows`), so that its cost is that of the history, not
 * of the catalogue; its last layer is the item table that scores are products with.
 */
import { type LayerContext, linear } from "../../nn/layers.js";
import { add, exp, multiply, subtract, tanh } from "../../nn/ops/elementwise.js";
import { multinomialLoss } from "../../nn/ops/losses.js";
import { sum } from "../../nn/ops/reduce.js";
import { input, type Tensor } from "../../nn/tensor.js";

export interface MultVaeShape {
  hidden: number;
  latent: number;
  numItems: number;
}

/** Names of the parameters of the last layer: numItems × hidden, and numItems. */
export const ITEMS = "items";
export const ITEM_BIAS = "items.bias";

/** What item vectors are compared with: the last hidden layer, batch × hidden, at the mean of the latent distribution. */
export function decodedMean(context: LayerContext, rows: Tensor, shape: MultVaeShape): Tensor {
  return decoded(context, latent(context, rows, shape).mean, shape);
}

/** Σ weight · (−log likelihood + klWeight · KL(q(z) ‖ N(0, 1))), with one draw of z per row. */
export function multVaeLoss(context: LayerContext, rows: Tensor, shape: MultVaeShape): Tensor {
  const { graph, parameters } = context;
  const { hidden, numItems } = shape;
  const batch = rows.shape[0] as number;
  const { mean, logVariance } = latent(context, rows, shape);
  const noise = input(graph, "noise", [batch, shape.latent]);
  const z = add(mean, multiply(exp(multiply(logVariance, 0.5)), noise));
  const weight = input(graph, "weight", [batch, 1]);
  const likelihood = multinomialLoss({
    hidden: decoded(context, z, shape),
    items: parameters.use(graph, ITEMS, [numItems, hidden]),
    bias: parameters.use(graph, ITEM_BIAS, [numItems], "zeros"),
    counts: input(graph, "counts", [batch, numItems]),
    weight,
  });
  const divergence = multiply(subtract(subtract(add(exp(logVariance), multiply(mean, mean)), logVariance), 1), 0.5);
  const kl = sum(multiply(sum(divergence, [-1], { keep: true }), weight));
  return add(likelihood, multiply(kl, input(graph, "klWeight", [])));
}

function latent(context: LayerContext, rows: Tensor, shape: MultVaeShape): { mean: Tensor; logVariance: Tensor } {
  const { graph, parameters } = context;
  const hidden = tanh(add(rows, parameters.use(graph, "encoder.bias", [shape.hidden], "zeros")));
  return { mean: linear(context, hidden, "mean", shape.latent), logVariance: linear(context, hidden, "logVariance", shape.latent) };
}

const decoded = (context: LayerContext, z: Tensor, { hidden }: MultVaeShape) => tanh(linear(context, z, "decoder", hidden));
