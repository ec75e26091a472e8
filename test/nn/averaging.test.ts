/** The running mean of the weights: what is validated, what is kept, and going on from a checkpoint. */
import { describe, expect, it } from "vitest";
import type { ModelState } from "../../src/core/model.js";
import { createRandom } from "../../src/core/random.js";
import { createParameters } from "../../src/nn/parameters.js";
import { createGraph } from "../../src/nn/tensor.js";
import { trainNetwork } from "../../src/nn/train.js";

/** One weight that falls by 1 per epoch, beginning at 0. */
function falling(restored?: ModelState["arrays"]) {
  const parameters = createParameters(createRandom(1));
  if (restored) parameters.restore(restored);
  parameters.use(createGraph(), "w", [1], "zeros");
  const [{ values }] = parameters.list;
  const asked: number[] = [];
  const plan = {
    stage: "test",
    network: { parameters, tables: [] },
    epochs: 4,
    optimizer: { name: "sgd" },
    schedule: { rate: 1 },
    batches: () => [0],
    stepsPerEpoch: 1,
    step: async () => ({ loss: 1, examples: 1, gradients: { w: Float32Array.of(1) } }),
    averaging: 0.5,
  } as const;
  const validate = async () => {
    asked.push(values[0]);
    return -Math.abs(values[0] + 1.5);
  };
  return { plan, values, asked, validate };
}

describe("averaging", () => {
  it("keeps the running mean of the weights", async () => {
    const { plan, values } = falling();
    await trainNetwork(plan, { seed: 1 });
    expect(values[0]).toBeCloseTo(0.5 * (0.5 * (0.5 * -1 + 0.5 * -2) + 0.5 * -3) + 0.5 * -4, 6);
  });

  it("validates the mean, goes on from the weights, and ends with the best mean", async () => {
    const { plan, values, asked, validate } = falling();
    const { epoch } = await trainNetwork({ ...plan, validate }, { seed: 1 });
    expect(asked).toEqual([-1, -1.5, -2.25, -3.125]);
    expect(epoch).toBe(2);
    expect(values[0]).toBeCloseTo(-1.5, 6);
  });

  it("goes on from a checkpoint", async () => {
    const states: ModelState[] = [];
    const first = falling();
    await trainNetwork(first.plan, { seed: 1, checkpoint: { save: async (_, state) => void states.push(state()) } });
    const again = falling(states[1].arrays);
    await trainNetwork(again.plan, { seed: 1, checkpoint: { save: async () => {}, resumeFrom: { step: 2, state: states[1] } } });
    expect(again.values).toEqual(first.values);
  });
});
