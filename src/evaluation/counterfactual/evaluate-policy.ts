/**
 * Counterfactual (off-policy) evaluation: what would a policy have earned, judged on what another one showed? All estimators side by
 * side, with how much of the log they rest on, and warnings where they should not be believed. Called by
 * `service/evaluation/evaluate-impressions.ts` and library users.
 */
import { ConfigError } from "../../core/errors.js";
import { directMethod } from "./direct-method.js";
import { doublyRobust } from "./doubly-robust.js";
import { ips } from "./ips.js";
import { clustersOf, type LoggedImpressions, type TargetOnLog, type WeightedRows, weightRows } from "./logged-rows.js";
import { type MeanWithError, meanWithError } from "./mean-with-error.js";
import { snips } from "./snips.js";

export type Estimator = "ips" | "snips" | "dr" | "dm";

export interface PolicyEstimate extends MeanWithError {
  estimator: Estimator;
}

export interface PolicyReport {
  policy: string;
  /** ips and snips; dr and dm where the target has predictions. Values are mean rewards per impression. */
  estimates: PolicyEstimate[];
  /** Rows used: those with a propensity above 0. */
  numRows: number;
  /** (Σ w)² / Σ w², Kish (1965): as if so many rows had been logged by the policy itself. 0 when it shows none of them. */
  effectiveSampleSize: number;
  maxWeight: number;
  /** 1 on average where propensities are right and the policy shows only what could be logged. */
  meanWeight: number;
  warnings: string[];
}

export interface PolicyOptions {
  /** Largest weight allowed. Default: none. */
  clip?: number;
  /** Of the intervals. Default 0.95. */
  level?: number;
}

/** Below this share of the rows, or this many, the effective sample size is called small. */
const SMALL_SHARE = 0.05;
const SMALL_ROWS = 100;

/** Judges one policy. Throws as `weightRows` does; ConfigError on a wrong level. */
export function evaluatePolicy(log: LoggedImpressions, target: TargetOnLog, { clip, level = 0.95 }: PolicyOptions = {}): PolicyReport {
  checkLevel(level);
  const rows = weightRows(log, target, clip);
  const { numRows, weight, predicted, expected } = rows;
  const estimates: PolicyEstimate[] = [
    { estimator: "ips", ...ips(rows, level) },
    { estimator: "snips", ...snips(rows, level) },
  ];
  if (predicted && expected) {
    estimates.push({ estimator: "dr", ...doublyRobust({ ...rows, predicted, expected }, level) });
    estimates.push({ estimator: "dm", ...directMethod({ ...rows, expected }, level) });
  }
  const sum = weight.reduce((total, w) => total + w, 0);
  const squares = weight.reduce((total, w) => total + w * w, 0);
  const report = {
    policy: target.name,
    estimates,
    numRows,
    effectiveSampleSize: squares === 0 ? 0 : (sum * sum) / squares,
    maxWeight: weight.reduce((largest, w) => Math.max(largest, w), 0),
    meanWeight: sum / numRows,
  };
  return { ...report, warnings: warningsOf(report, rows, target, clip) };
}

/** What the logging policy itself earned: the mean reward of all rows. */
export function loggedValue({ reward, userIndex }: LoggedImpressions, level = 0.95): MeanWithError {
  checkLevel(level);
  return meanWithError(reward, { cluster: userIndex && clustersOf(userIndex), level });
}

function warningsOf(
  { numRows, effectiveSampleSize, meanWeight, maxWeight }: Omit<PolicyReport, "warnings">,
  rows: WeightedRows,
  { unsupported = 0 }: TargetOnLog,
  clip: number | undefined,
): string[] {
  const warnings: string[] = [];
  const count = (value: number) => Math.round(value).toLocaleString("en");
  const { numMissing, numZero, numClipped, weight, cluster } = rows;
  if (numMissing > 0) warnings.push(`${count(numMissing)} rows have no propensity and are left out: the rest may not stand for all.`);
  if (numZero > 0) warnings.push(`${count(numZero)} rows have propensity 0, so they cannot have been shown as logged; they are left out.`);
  if (maxWeight === 0) warnings.push("The policy shows none of the logged items: nothing can be said about it from this log.");
  else if (effectiveSampleSize < SMALL_ROWS || effectiveSampleSize < SMALL_SHARE * numRows) {
    warnings.push(
      `The effective sample size is ${count(effectiveSampleSize)} of ${count(numRows)} rows (largest weight ${maxWeight.toPrecision(3)}): the estimates rest on few rows, and their intervals are too narrow.`,
    );
  }
  if (numClipped > 0)
    warnings.push(
      `${count(numClipped)} weights were clipped at ${clip}: the estimates are drawn towards the logged rows, which their intervals do not show.`,
    );
  else if (maxWeight > 0) {
    const { standardError } = meanWithError(weight, { cluster });
    if (Math.abs(meanWeight - 1) > 4 * standardError + 1e-9) {
      warnings.push(
        `The weights average ${meanWeight.toPrecision(3)} and not 1: propensities are wrong, or the policy shows items that were never logged for these users.`,
      );
    }
  }
  if (unsupported > 1e-3)
    warnings.push(
      `The policy gives ${(100 * unsupported).toFixed(1)} % of its probability to items that the log never shows: what they earn is unknown.`,
    );
  return warnings;
}

function checkLevel(level: number): void {
  if (!(level > 0 && level < 1))
    throw new ConfigError(`level is ${level}.`, {
      hint: "A share above 0 and below 1, such as 0.95.",
      details: { path: "level", got: level },
    });
}
