/** Compares gradients with central differences in float64, on onnxruntime itself. */
import { createRandom } from "../../src/core/random.js";
import { gradients } from "../../src/nn/gradients.js";
import { multiply } from "../../src/nn/ops/elementwise.js";
import { sum } from "../../src/nn/ops/reduce.js";
import { createSession } from "../../src/nn/session.js";
import { constant, sizeOf, type Tensor } from "../../src/nn/tensor.js";

export interface GradientCheck {
  /** Values of inputs that are not drawn from the normal distribution. */
  feeds?: Record<string, Float64Array | BigInt64Array>;
  seed?: number;
  /** onnxruntime has no Erf in float64: checked in float32, with wider steps and a wider tolerance. */
  float32?: boolean;
}

/**
 * Largest |analytic − numeric| / (1 + |numeric|) over all entries of the inputs `of`, for the loss Σ (c ∘ value) with random c
 * (so that no output's gradient cancels).
 */
export async function gradientError(
  value: Tensor,
  of: readonly Tensor[],
  { feeds = {}, seed = 1, float32 = false }: GradientCheck = {},
): Promise<number> {
  const { graph } = value.node;
  const random = createRandom(seed);
  const weights = constant(
    graph,
    Float64Array.from({ length: sizeOf(value.shape) }, () => random.normal()),
    value.shape,
  );
  const loss = sum(multiply(value, weights));
  const found = gradients(loss, of);
  const Floats = float32 ? Float32Array : Float64Array;
  const given: Record<string, Float32Array | Float64Array | BigInt64Array> = { ...feeds };
  for (const [name, tensor] of graph.inputs) given[name] ??= new Floats(sizeOf(tensor.shape)).map(() => random.normal());
  const session = await createSession(
    { loss, ...Object.fromEntries(found.map((tensor, k) => [`gradient${k}`, tensor!])) },
    { float64: !float32 },
  );
  const only = await createSession({ loss }, { float64: !float32 });
  const feedsOf = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, given[name]]));
  await session.run(feedsOf(session.inputNames));
  let worst = 0;
  for (const [k, tensor] of of.entries()) {
    const values = given[tensor.node.name!] as Float32Array | Float64Array;
    for (let at = 0; at < values.length; at++) {
      const before = values[at];
      const step = float32 ? 2e-2 : 1e-5;
      const lossAt = async (x: number) => {
        values[at] = x;
        await only.run(feedsOf(only.inputNames));
        return only.outputs.loss[0];
      };
      const numeric = ((await lossAt(before + step)) - (await lossAt(before - step))) / (2 * step);
      values[at] = before;
      worst = Math.max(worst, Math.abs(session.outputs[`gradient${k}`][at] - numeric) / (1 + Math.abs(numeric)));
    }
  }
  await session.release();
  await only.release();
  return worst;
}
