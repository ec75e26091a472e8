/**
 * A compiled graph with its buffers: parameters are fed from their own arrays, outputs are written into arrays that are made once,
 * so that a step allocates nothing. `run` blocks the thread while it computes: train in a worker.
 */
import { ConfigError } from "../core/errors.js";
import { type EmitOptions, emitOnnx } from "./onnx/emit.js";
import { neuralRuntime, type RuntimeTensor, type TensorData } from "./runtime.js";
import { shapeText, sizeOf, type Tensor } from "./tensor.js";

export interface SessionOptions extends Pick<EmitOptions, "float64"> {
  /** Default 1. */
  threads?: number;
  /** Execution provider: cpu (default), webgpu, cuda … */
  device?: string;
  /** Where outputs are written, by name, instead of arrays made for them. */
  into?: Readonly<Record<string, Float32Array>>;
}

export interface Session {
  readonly numNodes: number;
  readonly inputNames: readonly string[];
  /** Arrays of the outputs, overwritten by every run. */
  readonly outputs: Readonly<Record<string, Float32Array | Float64Array>>;
  /** Keeps feeding this array, which the caller may change between runs. */
  bind(name: string, data: TensorData): void;
  /** Runs with the bound arrays and these. Throws ConfigError for a missing, unknown or misshapen input. */
  run(feeds?: Readonly<Record<string, TensorData>>): Promise<void>;
  release(): Promise<void>;
}

/** Compiles what the outputs need. All shapes are fixed. */
export async function createSession(outputs: Readonly<Record<string, Tensor>>, options: SessionOptions = {}): Promise<Session> {
  const { threads = 1, device = "cpu", float64 = false, into = {} } = options;
  const runtime = await neuralRuntime();
  const { bytes, inputs, numNodes } = emitOnnx(outputs, { float64 });
  const compiled = await runtime.createSession(bytes, { threads, device });
  const float = float64 ? "float64" : "float32";
  const arrays: Record<string, Float32Array | Float64Array> = {};
  const fetches: Record<string, RuntimeTensor> = {};
  for (const [name, { shape }] of Object.entries(outputs)) {
    arrays[name] = into[name] ?? (float64 ? new Float64Array(sizeOf(shape)) : new Float32Array(sizeOf(shape)));
    fetches[name] = runtime.createTensor(float, arrays[name], shape as readonly number[]);
  }
  const tensorOf = new Map(inputs.map(({ name, tensor }) => [name, tensor]));
  const toFeed = (name: string, data: TensorData): RuntimeTensor => {
    const tensor = tensorOf.get(name);
    if (!tensor) throw new ConfigError(`The graph has no input ${name}.`, { hint: `Its inputs: ${[...tensorOf.keys()].join(", ")}.` });
    const type = tensor.type === "float" ? float : tensor.type;
    if (data.length !== sizeOf(tensor.shape) || typeOf(data) !== type)
      throw new ConfigError(`The input ${name} is ${typeOf(data)} of ${data.length} values, expected ${type} ${shapeText(tensor.shape)}.`, {
        hint: "Feed an array of the input's type and size.",
      });
    return runtime.createTensor(typeOf(data), data, tensor.shape as readonly number[]);
  };
  const bound: Record<string, RuntimeTensor> = {};
  return {
    numNodes,
    inputNames: inputs.map(({ name }) => name),
    outputs: arrays,
    bind(name, data) {
      bound[name] = toFeed(name, data);
    },
    async run(feeds = {}) {
      const all = { ...bound };
      for (const [name, data] of Object.entries(feeds)) all[name] = toFeed(name, data);
      const missing = inputs.find(({ name }) => !(name in all));
      if (missing) throw new ConfigError(`The input ${missing.name} is not fed.`, { hint: "Bind it, or hand it to run." });
      await compiled.run(all, fetches);
    },
    release: () => compiled.release(),
  };
}

function typeOf(data: TensorData): "float32" | "float64" | "int32" | "int64" {
  if (data instanceof Float32Array) return "float32";
  if (data instanceof Float64Array) return "float64";
  return data instanceof Int32Array ? "int32" : "int64";
}
