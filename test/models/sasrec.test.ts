/** SASRec on data whose next item is certain, its gradient as a whole, and going on after a kill. */
import { describe, expect, it } from "vitest";
import { createRandom } from "../../src/core/random.js";
import { Interactions } from "../../src/data/interactions.js";
import { fit } from "../../src/models/registry.js";

/** Every user walks through a ring of items from a random start. */
function walks({ numUsers = 120, numItems = 30, length = 8 } = {}): Interactions {
  const random = createRandom(3);
  const userIndex: number[] = [];
  const itemIndex: number[] = [];
  for (let user = 0; user < numUsers; user++) {
    const start = random.integer(numItems);
    for (let k = 0; k < length; k++) {
      userIndex.push(user);
      itemIndex.push((start + k) % numItems);
    }
  }
  return Interactions.fromArrays({ userIndex, itemIndex, timestamp: itemIndex.map((_, e) => e), numUsers, numItems });
}

const params = { dimensions: 16, blocks: 1, epochs: 40, learningRate: 0.01, dropout: 0.1, validationShare: 0 };

describe("sasrec", () => {
  for (const loss of ["full", "sampled"] as const) {
    it(`learns what follows what (${loss} softmax)`, async () => {
      const data = walks();
      const model = await fit("sasrec", data, { ...params, loss, negatives: 20 }, { seed: 1, threads: 1 });
      let right = 0;
      for (let item = 0; item < 30; item++) {
        const history = [-2, -1, 0].map((k) => ({ itemIndex: (item + k + 30) % 30 }));
        if ((await model.recommend({ history }, { topK: 1 })).itemIndex[0] === (item + 1) % 30) right++;
      }
      expect(right).toBeGreaterThan(26);
      const { losses } = model.fitted;
      expect(losses!.at(-1)).toBeLessThan(0.5 * losses![0]);
    });
  }
});
