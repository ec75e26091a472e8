import { expect, test } from "vitest";
import { createRandom } from "../../src/core/random.js";
import { createParameters } from "../../src/nn/parameters.js";
import { createGraph } from "../../src/nn/tensor.js";
import { expectError } from "../support/errors.js";

test("parameters come back as they were saved, and what is missing or misshapen is refused", async () => {
  const parameters = createParameters(createRandom(1));
  const graph = createGraph();
  parameters.use(graph, "weight", [3, 2]);
  parameters.use(graph, "bias", [2], "zeros");
  const state = parameters.state();
  const again = createParameters(createRandom(2));
  again.restore(state);
  again.use(createGraph(), "weight", [3, 2]);
  expect(again.list[0]).toEqual(parameters.list[0]);
  await expectError(() => again.use(createGraph(), "gain", [2]), "E_MODEL_FORMAT", /gain/);
  await expectError(() => again.use(createGraph(), "bias", [3]), "E_MODEL_FORMAT", /bias is 2, expected 3/);
});
