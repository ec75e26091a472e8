/**
 * One tower: what is known of a user or item → a vector. Without layers it is the sum of its embeddings (a factorization; with side
 * features, LightFM's: Kula 2015); with layers they are concatenated and go through relu layers to the vector.
 * Called by two-tower for training and scoring.
 */
import { deepLayers, dropout, type LayerContext, linear } from "../../nn/layers.js";
import { add, multiply, reciprocal, sqrt } from "../../nn/ops/elementwise.js";
import { sum } from "../../nn/ops/reduce.js";
import { concat, reshape } from "../../nn/ops/shape.js";
import type { Tensor } from "../../nn/tensor.js";

export interface TowerShape {
  /** Opens the names of inputs and parameters. */
  name: string;
  /** Embeddings of side features (the id is one), and numbers beside them. */
  numFields: number;
  numDense: number;
  /** Whether the mean of a history of items is among the inputs. */
  history: boolean;
  /** Width of embeddings and of the vector. */
  dimensions: number;
  layers: readonly number[];
  /** Vectors have length 1. */
  normalize: boolean;
}

/** Width of each input. */
export function towerInputs({ name, numFields, numDense, history, dimensions }: TowerShape): Record<string, number> {
  return {
    ...(numFields > 0 ? { [`${name}.embedded`]: numFields * dimensions } : {}),
    ...(history ? { [`${name}.history`]: dimensions } : {}),
    ...(numDense > 0 ? { [`${name}.dense`]: numDense } : {}),
  };
}

/** From inputs [n × their width] to vectors [n × dimensions]. */
export function towerVectors(context: LayerContext, inputs: Readonly<Record<string, Tensor>>, shape: TowerShape): Tensor {
  const { name, dimensions, layers } = shape;
  const own = Object.keys(towerInputs(shape)).map((key) => inputs[key]);
  const vectors =
    layers.length > 0
      ? linear(context, deepLayers(context, dropout(context, concat(own, 1)), `${name}.layer`, layers), `${name}.out`, dimensions)
      : dropout(context, summed(context, inputs, shape));
  return shape.normalize ? unitLength(vectors) : vectors;
}

function summed(context: LayerContext, inputs: Readonly<Record<string, Tensor>>, shape: TowerShape): Tensor {
  const { name, numFields, dimensions } = shape;
  const bias = context.parameters.use(context.graph, `${name}.bias`, [dimensions], "zeros");
  const [embedded, history, dense] = ["embedded", "history", "dense"].map((part) => inputs[`${name}.${part}`] as Tensor | undefined);
  const parts = [
    embedded && sum(reshape(embedded, [embedded.shape[0], numFields, dimensions]), [1]),
    history,
    dense && linear(context, dense, `${name}.dense`, dimensions),
  ];
  return parts.filter((part) => part !== undefined).reduce((total, part) => add(total, part), bias);
}

const unitLength = (x: Tensor): Tensor => multiply(x, reciprocal(sqrt(add(sum(multiply(x, x), [-1], { keep: true }), 1e-12))));
