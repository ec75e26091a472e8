/**
 * What we need of ONNX Runtime, and where it comes from: onnxruntime-node in Node, elsewhere what the page sets (onnxruntime-web).
 * It is an optional package: everything but the neural models works without it.
 */
import { KernelError, TastemakerError } from "../core/errors.js";
import { loadNodeRuntime } from "./runtime-node.js";

export type TensorData = Float32Array | Float64Array | Int32Array | BigInt64Array;

export interface RuntimeTensor {
  readonly dims: readonly number[];
  readonly data: unknown;
}

export interface RuntimeSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(
    feeds: Readonly<Record<string, RuntimeTensor>>,
    fetches?: Readonly<Record<string, RuntimeTensor | null>>,
  ): Promise<Readonly<Record<string, RuntimeTensor>>>;
  release(): Promise<void>;
}

export interface Runtime {
  /** Name and version, for the manifest. */
  readonly version: string;
  /** Execution providers it was built with; not all need work on this machine. */
  readonly devices: readonly string[];
  createTensor(type: "float32" | "float64" | "int32" | "int64", data: TensorData, dims: readonly number[]): RuntimeTensor;
  createSession(model: Uint8Array, options: { threads: number; device: string }): Promise<RuntimeSession>;
}

const inNode = typeof process !== "undefined" && process.versions?.node !== undefined;

let load: (() => Promise<Runtime>) | undefined = inNode ? loadNodeRuntime : undefined;
let loaded: Promise<Runtime> | undefined;

/** Says how to get another runtime; it is loaded on first use. */
export function setNeuralRuntime(loader: () => Promise<Runtime>): void {
  load = loader;
  loaded = undefined;
}

/** Throws KernelError with the command that adds the package where there is none. */
export function neuralRuntime(): Promise<Runtime> {
  loaded ??= start();
  loaded.catch(() => {
    loaded = undefined; // it may be installed while the process lives
  });
  return loaded;
}

async function start(): Promise<Runtime> {
  const hint = "Add it to your project: npm install onnxruntime-node --ignore-scripts";
  if (!load) throw new KernelError("Neural models need ONNX Runtime, which is not set up here.", { hint });
  try {
    return await load();
  } catch (cause) {
    if (cause instanceof TastemakerError) throw cause;
    throw new KernelError("Neural models need ONNX Runtime, which could not be loaded.", { hint, cause });
  }
}
