/**
 * One compiled training step: the loss of a batch and its gradients, for the network's parameters (bound to their arrays, updated by
 * `trainNetwork`) and for inputs that hold gathered rows of embedding tables. Called by the training of every network.
 * A network whose rows do not meet may be built once per piece of the batch (`piecesOf`): forward and backward of a piece then run
 * while its activations are in the second-level cache.
 */

import type { Random } from "../core/random.js";
import { gradients } from "./gradients.js";
import type { LayerContext } from "./layers.js";
import type { MaskPool } from "./masks.js";
import type { TensorData } from "./runtime.js";
import { createSession, type SessionOptions } from "./session.js";
import { sizeOf, type Tensor } from "./tensor.js";

/** Some rows of a batch; `of` gives the name of an input that holds them. */
export interface Piece {
  rows: number;
  of(name: string): string;
}

/** Of 192 values each, activations of so many rows are 400 KB. */
const PIECE_ROWS = 512;

/** Equal pieces of a batch, but for the last; what is fed to `TrainingStep.run` under a name is shared out among them. */
export function piecesOf(numRows: number): Piece[] {
  const count = Math.ceil(numRows / PIECE_ROWS);
  const rows = Math.ceil(numRows / count);
  return Array.from({ length: count }, (_, k) => ({
    rows: Math.min(rows, numRows - k * rows),
    of: (name) => pieceName(name, k),
  }));
}

const pieceName = (name: string, k: number): string => (k === 0 ? name : `${name}/${k}`);

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
  /** Names of inputs whose gradients the caller wants. */
  rows: readonly string[];
  masks: MaskPool;
}

export async function createTrainingStep({ context, loss, rows, masks, ...options }: TrainingStepOptions): Promise<TrainingStep> {
  const { graph, parameters } = context;
  const inPieces = (name: string): [string, Tensor][] => {
    const list: [string, Tensor][] = [];
    for (let k = 0, own = name; graph.inputs.has(own); own = pieceName(name, ++k)) list.push([own, graph.inputs.get(own)!]);
    return list;
  };
  /** The parts of an array that belong to the pieces. */
  const shared = (name: string, data: TensorData): [string, TensorData][] => {
    const pieces = inPieces(name);
    if (pieces.length <= 1) return [[name, data]];
    let at = 0;
    return pieces.map(([own, { shape }], k) => {
      const from = at;
      at += sizeOf(shape);
      return [own, data.subarray(from, k + 1 < pieces.length ? at : undefined)];
    });
  };
  const sizeIn = (name: string) => inPieces(name).reduce((sum, [, { shape }]) => sum + sizeOf(shape), 0);
  const whole = Object.fromEntries(rows.map((name) => [name, new Float32Array(sizeIn(name))]));
  const into = Object.fromEntries(
    rows.flatMap((name) => shared(name, whole[name]).map(([own, part]) => [`d ${own}`, part as Float32Array])),
  );
  const used = parameters.list.filter(({ name }) => graph.inputs.has(name));
  const wanted = [...used.map(({ name }): [string, Tensor] => [name, graph.inputs.get(name)!]), ...rows.flatMap(inPieces)];
  const found = gradients(
    loss,
    wanted.map(([, tensor]) => tensor),
  );
  const outputs = Object.fromEntries(wanted.flatMap(([name], k) => (found[k] ? [[`d ${name}`, found[k]]] : [])));
  // the loss last: it would have all pieces go forward before the first goes back
  const session = await createSession({ ...outputs, loss }, { ...options, into });
  for (const { name, values } of used) if (session.inputNames.includes(name)) session.bind(name, values);
  return {
    async run(feeds, random) {
      for (const { name, size } of context.masks) session.bind(name, masks.take(size, random));
      await session.run(Object.fromEntries(Object.entries(feeds).flatMap(([name, data]) => shared(name, data))));
      return session.outputs.loss[0];
    },
    gradient: (name) => whole[name],
    parameterGradients: Object.fromEntries(
      used.filter(({ name }) => `d ${name}` in outputs).map(({ name }) => [name, session.outputs[`d ${name}`] as Float32Array]),
    ),
    release: () => session.release(),
  };
}
