/**
 * One compiled training step: the loss of a batch and its gradients, for the network's parameters (bound to their arrays, updated by
 * `trainNetwork`) and for inputs that hold gathered rows of embedding tables. Called by the training of every network.
 */

import type { Random } from "../core/random.js";
import { gradients } from "./gradients.js";
import type { LayerContext } from "./layers.js";
import type { MaskPool } from "./masks.js";
import type { TensorData } from "./runtime.js";
import { createSession, type SessionOptions } from "./session.js";
import type { Tensor } from "./tensor.js";

export interface TrainingStep {
  /** Runs one batch and gives its loss; fresh dropout masks are drawn from `masks`. */
  run(feeds: Readonly<Record<string, TensorData>>, random: Random): Promise<number>;
  /** d loss / d of one of the `rows`, overwritten by every run. */
  gradient(name: string): Float32Array;
  /** d loss / d of the parameters, by name, for `StepResult.gradients`. */
  readonly parameterGradients: Readonly<Record<string, Float32Array>>;
  release(): Promise<void>;
}

export interface TrainingStepOptions extends Pick<SessionOptions, "threads" | "device"> {
  /** As used to build the loss; its dropout masks are fed from `masks`. */
  context: LayerContext;
  /** A scalar. */
  loss: Tensor;
  /** Inputs whose gradients the caller wants, by name. */
  rows: Readonly<Record<string, Tensor>>;
  masks: MaskPool;
}

export async function createTrainingStep({ context, loss, rows, masks, ...options }: TrainingStepOptions): Promise<TrainingStep> {
  const { graph, parameters } = context;
  const used = parameters.list.filter(({ name }) => graph.inputs.has(name));
  const names = [...used.map(({ name }) => name), ...Object.keys(rows)];
  const found = gradients(loss, [...used.map(({ name }) => graph.inputs.get(name)!), ...Object.values(rows)]);
  const outputs = Object.fromEntries(names.flatMap((name, k) => (found[k] ? [[`d ${name}`, found[k]]] : [])));
  const session = await createSession({ loss, ...outputs }, options);
  for (const { name, values } of used) if (session.inputNames.includes(name)) session.bind(name, values);
  const gradient = (name: string) => session.outputs[`d ${name}`] as Float32Array;
  return {
    async run(feeds, random) {
      for (const { name, size } of context.masks) session.bind(name, masks.take(size, random));
      await session.run(feeds);
      return session.outputs.loss[0];
    },
    gradient,
    parameterGradients: Object.fromEntries(used.filter(({ name }) => `d ${name}` in outputs).map(({ name }) => [name, gradient(name)])),
    release: () => session.release(),
  };
}
