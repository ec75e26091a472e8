/** ONNX Runtime for Node, loaded only when a neural model is used. The default of runtime.ts in Node. */
import type { Runtime, RuntimeSession, RuntimeTensor } from "./runtime.js";

/** The parts of the package that we call; it is optional, so its own types are not imported. */
interface Package {
  Tensor: new (type: string, data: unknown, dims: readonly number[]) => RuntimeTensor;
  InferenceSession: { create(model: Uint8Array, options: Record<string, unknown>): Promise<RuntimeSession> };
  env: { versions: { common: string; node?: string } };
  listSupportedBackends?(): readonly { name: string }[];
}

export async function loadNodeRuntime(): Promise<Runtime> {
  const name = "onnxruntime-node";
  const imported = (await import(name)) as Package & { default?: Package };
  const { Tensor, InferenceSession, env, listSupportedBackends } = imported.default ?? imported;
  return {
    version: `onnxruntime-node ${env.versions.node ?? env.versions.common}`,
    devices: listSupportedBackends?.().map(({ name }) => name) ?? [],
    createTensor: (type, data, dims) => new Tensor(type, data, dims),
    createSession: (model, { threads, device }) =>
      InferenceSession.create(model, {
        executionProviders: [device],
        graphOptimizationLevel: "all",
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        logSeverityLevel: 3,
      }),
  };
}
