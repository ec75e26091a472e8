/** Bad input that every network must take or refuse in words: rates that diverge, nothing to validate on, hardly any data. */
import { describe, expect, it } from "vitest";
import { TrainingError } from "../../src/core/errors.js";
import { Interactions } from "../../src/data/interactions.js";
import { fit, listModels } from "../../src/models/registry.js";
import { fixture } from "../support/fixture.js";
import { smallParams } from "../support/small-params.js";

const data = fixture();
const options = { seed: 3, threads: 1 };

for (const { name, params } of listModels().filter(({ needs }) => needs === "onnxruntime")) {
  const keys = Object.keys((params as unknown as { shape: object }).shape);
  const small = smallParams[name] ?? {};

  describe(`${name} with bad input`, () => {
    it.runIf(keys.includes("learningRate"))("stops with a TrainingError that names the step when the loss diverges", async () => {
      const failure = fit(name, data, { ...small, epochs: 200, learningRate: 1e6 }, options).then(
        () => undefined,
        (error: unknown) => error,
      );
      const error = (await failure) as TrainingError;
      expect(error).toBeInstanceOf(TrainingError);
      expect(error.message).toMatch(new RegExp(`The training of ${name} diverged in step \\d+`));
      expect(error.hint).toMatch(/[Ll]ower the learning rate/);
    });

    it.runIf(keys.includes("validationShare"))("learns without validation data, whether none is wanted or none can be had", async () => {
      const { fitted } = await fit(name, data, { ...small, validationShare: 0 }, options);
      expect(fitted.losses?.every(Number.isFinite)).toBe(true);
      const pair = { userIndex: [0, 0, 1, 1], itemIndex: [0, 1, 1, 2], timestamp: [1, 2, 3, 4], numUsers: 2, numItems: 3 };
      const few = await fit(name, Interactions.fromArrays(pair), { ...small, validationShare: 0.5 }, options); // no user can spare an event
      const { score } = await few.recommend({ userIndex: 0 }, { topK: 3, excludeSeen: false });
      expect([...score].every(Number.isFinite)).toBe(true);
    });

    it("takes fewer events than a batch has places, and histories longer than its limit", async () => {
      const one = Interactions.fromArrays({ userIndex: [0, 0], itemIndex: [0, 1], timestamp: [1, 2], numUsers: 1, numItems: 2 });
      const model = await fit(name, one, small, options);
      const history = Array.from({ length: 1000 }, (_, k) => ({ itemIndex: k % 2 }));
      const { score } = await model.recommend({ history }, { topK: 2, excludeSeen: false });
      expect([...score].every(Number.isFinite)).toBe(true);
    });
  });
}
