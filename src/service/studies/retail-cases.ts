/** How the answers of both retail scenarios are averaged by segment. */
import type { Interactions } from "../../core/interactions.js";
import { type EvaluationCase, judgeCases } from "../../evaluation/evaluate.js";
import { createExactSum } from "../../evaluation/exact-sum.js";
import type { Recommender } from "../../ranking/recommender.js";

/** Of each case only the items that the customer did (`repeats`) or did not buy in training. */
export function casesOfKind(cases: readonly EvaluationCase[], train: Interactions, repeats: boolean): EvaluationCase[] {
  const { offsets, indices } = train.matrixByUser();
  return cases.map(({ query, relevant }) => {
    const user = query.userIndex ?? -1;
    const own = new Set(user < 0 ? [] : indices.subarray(offsets[user], offsets[user + 1]));
    return { query, relevant: Int32Array.from(Array.from(relevant).filter((item) => own.has(item) === repeats)) };
  });
}

/** Mean over all cases, over those with a customer number, and over those without; cases without an answer are left out. */
export async function segmentMeans(
  model: Recommender,
  cases: readonly EvaluationCase[],
  { label, signal }: { label: string; signal: AbortSignal | undefined },
): Promise<Record<string, number>> {
  const { values, caseIndex } = await judgeCases(model, cases, { metrics: [label], excludeSeen: false, signal });
  const mean = (keep: (one: EvaluationCase) => boolean) => {
    const sum = createExactSum();
    let kept = 0;
    values[label].forEach((value, c) => {
      if (!keep(cases[caseIndex ? caseIndex[c] : c])) return;
      sum.add(value);
      kept++;
    });
    return sum.value() / kept;
  };
  const known = ({ query }: EvaluationCase) => query.userIndex !== -1;
  return { "": mean(() => true), identified: mean(known), anonymous: mean((one) => !known(one)) };
}
