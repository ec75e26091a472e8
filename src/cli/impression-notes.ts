/** A counterfactual evaluation in words and as a table. */
import type { PolicyReport } from "../evaluation/counterfactual/evaluate-policy.js";
import type { ImpressionsEvaluation } from "../service/evaluation/evaluate-impressions.js";
import { rejectNotes } from "./step-notes.js";
import { formatTable } from "./table.js";

const names: Record<PolicyReport["estimates"][number]["estimator"], string> = {
  ips: "IPS",
  snips: "SNIPS",
  dr: "doubly robust",
  dm: "direct method",
};

/** What was read, and what should not be believed. */
export function impressionNotes({ report, numRows, numUsers, numItems, numLowerPlaces, policies }: ImpressionsEvaluation): string[] {
  const whom = numUsers === undefined ? "no user column" : `${numUsers.toLocaleString("en")} users`;
  return [
    `Read ${report.file}: ${numRows.toLocaleString("en")} impressions of ${numItems.toLocaleString("en")} items, ${whom}.`,
    ...report.guessed.map(({ role, column, why }) => `Guessed ${role} = ${column} (${why}); --log-columns "${role}=COLUMN" overrides.`),
    ...rejectNotes(report.rejected),
    ...(numLowerPlaces > 0 ? [`${numLowerPlaces.toLocaleString("en")} rows below the first place of their slate are left out.`] : []),
    ...policies.flatMap(({ policy, warnings }) => warnings.map((warning) => `Warning (${policy}): ${warning}`)),
  ];
}

export function impressionTable({ logged, policies, numRows }: ImpressionsEvaluation): string {
  const figure = (value: number) => (Number.isNaN(value) ? "-" : value.toFixed(4));
  const row = (policy: string, estimator: string, { value, standardError, low, high }: ImpressionsEvaluation["logged"]) => [
    policy,
    estimator,
    figure(value),
    figure(standardError),
    `${figure(low)} … ${figure(high)}`,
  ];
  const rows = [
    [...row("(as logged)", "mean", logged), numRows.toLocaleString("en"), "1.00"],
    ...policies.flatMap(({ policy, estimates, effectiveSampleSize, maxWeight }) =>
      estimates.map((estimate) => [
        ...row(policy, names[estimate.estimator], estimate),
        Math.round(effectiveSampleSize).toLocaleString("en"),
        maxWeight.toFixed(2),
      ]),
    ),
  ];
  return formatTable([["policy", "estimator", "reward", "error", "interval", "effective rows", "largest weight"], ...rows]);
}
