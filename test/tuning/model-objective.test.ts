/** Steps of a fit, and the objective of a search over real models. */
import { describe, expect, test } from "vitest";
import { split } from "../../src/data/splits.js";
import { userCases } from "../../src/evaluation/cases.js";
import { evaluate } from "../../src/evaluation/evaluate.js";
import { fit } from "../../src/models/registry.js";
import { directionOf, modelObjective } from "../../src/tuning/model-objective.js";
import { expectError } from "../support/errors.js";
import { fixture } from "../support/fixture.js";

const { train, test: held } = split(fixture({ events: 600 }), { by: "leave-last-out", perUser: 3 });
const params = { factors: 4, iterations: 6, regularization: 1 };
const options = { model: "als", train, cases: userCases(train, held), metric: "ndcg@10", excludeSeen: true, seed: 3, threads: 1 };

describe("steps of als", () => {
  test("the model in the middle is the model of so many iterations, and stopping gives it", async () => {
    const seen: number[] = [];
    const stopped = await fit("als", train, params, {
      seed: 3,
      onStep: async ({ step, total, model }) => {
        seen.push(step);
        expect(total).toBe(6);
        if (step < 3) return "continue";
        expect(model().losses).toHaveLength(3);
        return "stop";
      },
    });
    const short = await fit("als", train, { ...params, iterations: 3 }, { seed: 3 });
    expect(seen).toEqual([1, 2, 3]);
    expect(stopped.fitted.state().arrays).toEqual(short.fitted.state().arrays);
  });
});

describe("the objective", () => {
  const run = { number: 0, signal: new AbortController().signal };

  test("is the metric of the fitted model; rungs are measured on the way", async () => {
    const reports: [number, number][] = [];
    const measure = async (iterations: number) => {
      const model = await fit("als", train, { ...params, iterations }, { seed: 3 });
      return (await evaluate(model, train, held, { metrics: ["ndcg@10"] }))["ndcg@10"];
    };
    const isRung = (step: number) => step === 2 || step === 6;
    const report = (step: number, value: number) => {
      reports.push([step, value]);
      return "continue" as const;
    };
    const { value, steps } = await modelObjective(options)({ ...run, params, isRung, report });
    expect({ value, steps }).toEqual({ value: await measure(6), steps: 6 });
    expect(reports).toEqual([[2, await measure(2)]]); // the last step is the end itself
  });

  test("ends where it is told to stop", async () => {
    let reports = 0;
    const report = () => {
      reports++;
      return "stop" as const;
    };
    const { value } = await modelObjective(options)({ ...run, params, isRung: () => true, report });
    expect({ value, reports }).toEqual({ value: Number.NaN, reports: 1 });
  });

  test("knows which way metrics are better", async () => {
    expect(directionOf("ndcg@10")).toBe("maximize");
    expect(directionOf("gini@10")).toBe("minimize");
    await expectError(() => directionOf("ndgc@10"), "E_CONFIG", /Did you mean ndcg/);
  });
});
