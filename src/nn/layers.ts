/** Layers made of parameters and operators. Activations are rows: [positions × width]. */

import { add, multiply, relu } from "./ops/elementwise.js";
import { batchedProduct, gemm } from "./ops/matrix.js";
import { layerNormalization, softmax } from "./ops/normalize.js";
import { reshape, split } from "./ops/shape.js";
import type { Parameters } from "./parameters.js";
import { constant, type Dimension, type Graph, input, sizeOf, type Tensor, times } from "./tensor.js";

/** What layers need: where they are built, whose parameters they use, and the dropout masks they ask for. */
export interface LayerContext {
  graph: Graph;
  parameters: Parameters;
  /** Inputs that hold dropout masks; fed by masks.ts. Empty without dropout. */
  masks: { name: string; size: number }[];
  /** Share of values set to 0 in training; 0 for scoring. */
  dropout: number;
}

/** x W + b: [n × from] → [n × to]. */
export function linear(context: LayerContext, x: Tensor, name: string, to: number): Tensor {
  const { graph, parameters } = context;
  const from = sizeOf(x.shape.slice(-1));
  return gemm(x, parameters.use(graph, `${name}.weight`, [from, to]), { bias: parameters.use(graph, `${name}.bias`, [to], "zeros") });
}

/** As `linear` of the parts side by side, which are never copied together. */
export function linearOfParts(context: LayerContext, parts: readonly Tensor[], name: string, to: number): Tensor {
  const { graph, parameters } = context;
  const widths = parts.map(({ shape }) => sizeOf(shape.slice(-1)));
  const from = widths.reduce((a, b) => a + b);
  const weights = split(parameters.use(graph, `${name}.weight`, [from, to]), widths, 0);
  const bias = parameters.use(graph, `${name}.bias`, [to], "zeros");
  return parts.reduce<Tensor>((sum, part, k) => gemm(part, weights[k], { bias: sum }), bias);
}

/** Sets a share of the values to 0 and scales the rest, so that the mean stays (Srivastava et al. 2014). */
export function dropout(context: LayerContext, x: Tensor): Tensor {
  if (context.dropout === 0) return x;
  const name = `mask${context.masks.length}`;
  context.masks.push({ name, size: sizeOf(x.shape) });
  return multiply(x, input(context.graph, name, x.shape));
}

export function normalized(context: LayerContext, x: Tensor, name: string): Tensor {
  const { graph, parameters } = context;
  const width = sizeOf(x.shape.slice(-1));
  const gain = parameters.use(graph, `${name}.gain`, [width], "ones");
  return layerNormalization(x, { gain, bias: parameters.use(graph, `${name}.bias`, [width], "zeros") });
}

export interface AttentionOptions {
  batch: Dimension;
  length: number;
  heads: number;
  /** A position sees itself and earlier ones only. */
  causal: boolean;
}

/**
 * Multi-head self-attention (Vaswani et al. 2017) over [batch · length × width]. Heads have weights of their own instead of slices of
 * one, which saves all transposes.
 */
export function selfAttention(context: LayerContext, x: Tensor, name: string, { batch, length, heads, causal }: AttentionOptions): Tensor {
  const { graph, parameters } = context;
  const width = sizeOf(x.shape.slice(-1));
  const size = width / heads;
  let out: Tensor | undefined;
  for (let head = 0; head < heads; head++) {
    const part = (role: string) => reshape(linear(context, x, `${name}.${role}${head}`, size), [batch, length, size]);
    let scores = batchedProduct(part("query"), part("key"), { transposeB: true, alpha: 1 / Math.sqrt(size) });
    if (causal) scores = add(scores, causalMask(graph, length));
    const mixed = reshape(batchedProduct(softmax(scores), part("value")), [times(batch, length), size]);
    const bias = out ?? parameters.use(graph, `${name}.out.bias`, [width], "zeros");
    out = gemm(mixed, parameters.use(graph, `${name}.out${head}.weight`, [size, width]), { bias });
  }
  return out!;
}

/** 0 where the column is not later than the row, −10⁹ elsewhere. */
function causalMask(graph: Graph, length: number): Tensor {
  const values = Float32Array.from({ length: length * length }, (_, at) => (at % length > Math.floor(at / length) ? -1e9 : 0));
  return constant(graph, values, [length, length]);
}

/** Attention, then a two-layer network, each normalised before and added to what went in. */
export function transformerBlock(context: LayerContext, x: Tensor, name: string, options: AttentionOptions & { hidden: number }): Tensor {
  const attended = add(x, dropout(context, selfAttention(context, normalized(context, x, `${name}.norm1`), `${name}.attention`, options)));
  const inner = dropout(context, relu(linear(context, normalized(context, attended, `${name}.norm2`), `${name}.inner`, options.hidden)));
  return add(attended, dropout(context, linear(context, inner, `${name}.outer`, sizeOf(x.shape.slice(-1)))));
}

/** One cross layer of DCN-v2 (Wang et al. 2021): x₀ ∘ (W x + b) + x. */
export function crossLayer(context: LayerContext, first: Tensor, x: Tensor, name: string): Tensor {
  return add(multiply(first, linear(context, x, name, sizeOf(x.shape.slice(-1)))), x);
}

/** Linear layers with relu and dropout between them. */
export function deepLayers(context: LayerContext, x: Tensor, name: string, sizes: readonly number[]): Tensor {
  return sizes.reduce((value, size, k) => dropout(context, relu(linear(context, value, `${name}${k}`, size))), x);
}
