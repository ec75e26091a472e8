/** The questions of both retail scenarios, and how their answers are averaged by segment. */
import type { Interactions } from "../../core/interactions.js";
import type { HistoryEvent } from "../../core/model.js";
import { type EvaluationCase, judgeCases } from "../../evaluation/evaluate.js";
import { createExactSum } from "../../evaluation/exact-sum.js";
import type { Recommender } from "../../ranking/recommender.js";

/** One case per run of lines with the same invoice, in file order, as the book groups them. */
export function invoiceCases(data: Interactions): EvaluationCase[] {
  return invoices(data).map(({ start, end }) => ({
    query: { userIndex: data.userIndex[start] },
    relevant: data.itemIndex.subarray(start, end),
  }));
}

/** Of each case only the items that the customer did (`repeats`) or did not buy in training. */
export function casesOfKind(cases: readonly EvaluationCase[], train: Interactions, repeats: boolean): EvaluationCase[] {
  const { offsets, indices } = train.matrixByUser();
  return cases.map(({ query, relevant }) => {
    const user = query.userIndex ?? -1;
    const own = new Set(user < 0 ? [] : indices.subarray(offsets[user], offsets[user + 1]));
    return { query, relevant: Int32Array.from(Array.from(relevant).filter((item) => own.has(item) === repeats)) };
  });
}

/**
 * One case per line: the customer, the earlier lines of the invoice, and the line's item as the answer.
 * With `foldIn` the query carries the customer's purchases of training and the earlier lines as a history.
 */
export function lineCases({ train, judged }: { train: Interactions; judged: Interactions }, foldIn: boolean): EvaluationCase[] {
  const { offsets, indices, values } = train.matrixByUser();
  const cases: EvaluationCase[] = [];
  for (const { start, end } of invoices(judged)) {
    const userIndex = judged.userIndex[start];
    const timestamp = judged.timestamp?.[start];
    const past: HistoryEvent[] = [];
    if (foldIn && userIndex >= 0) {
      for (let e = offsets[userIndex]; e < offsets[userIndex + 1]; e++) past.push({ itemIndex: indices[e], weight: values[e] });
    }
    for (let line = start; line < end; line++) {
      const basket = Array.from(judged.itemIndex.subarray(start, line));
      const history = foldIn ? [...past, ...basket.map((itemIndex) => ({ itemIndex }))] : undefined;
      cases.push({ query: { userIndex, basket, history, timestamp }, relevant: judged.itemIndex.subarray(line, line + 1) });
    }
  }
  return cases;
}

function invoices({ basket, numInteractions }: Interactions): { start: number; end: number }[] {
  const runs: { start: number; end: number }[] = [];
  for (let start = 0; start < numInteractions; ) {
    let end = start + 1;
    while (end < numInteractions && basket![end] === basket![start]) end++;
    runs.push({ start, end });
    start = end;
  }
  return runs;
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
