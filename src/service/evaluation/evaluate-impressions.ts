/**
 * The use case "evaluate --impressions": what would other policies have earned on a log of impressions? Policies are columns of
 * the log (the probability of the shown item), or trained models of a recipe that choose among the items of the log.
 */
import { ConfigError } from "../../core/errors.js";
import { nameHint } from "../../core/nearest-names.js";
import { type ImpressionFile, readImpressions } from "../../data/readers/impressions.js";
import type { TableOptions } from "../../data/readers/read-table.js";
import { evaluatePolicy, loggedValue, type PolicyOptions, type PolicyReport } from "../../evaluation/counterfactual/evaluate-policy.js";
import type { LoggedImpressions } from "../../evaluation/counterfactual/logged-rows.js";
import type { MeanWithError } from "../../evaluation/counterfactual/mean-with-error.js";
import { greedyPolicy, policyOnLog, softmaxPolicy, type TargetPolicy } from "../../evaluation/counterfactual/policy.js";
import type { Recommender } from "../../ranking/recommender.js";
import { latestRun } from "../workspace.js";

export interface ImpressionsOptions extends Omit<TableOptions, "columns">, PolicyOptions {
  /** Columns of the log, or labels of trained models of `recipe`. Default: the column that looks like a target probability. */
  policies?: readonly string[];
  /** Role (user, item, propensity, reward, position, "predicted reward", "expected reward") → column; by default guessed. */
  columns?: Readonly<Record<string, string>>;
  /** Name of the recipe whose latest run holds the models. */
  recipe?: string;
  workspace?: string;
  /** Models show items with probability softmax(score / temperature); without it only the best item. */
  temperature?: number;
}

export interface ImpressionsEvaluation {
  numRows: number;
  numUsers?: number;
  numItems: number;
  /** Rows left out because they were not in the first place of their slate. */
  numLowerPlaces: number;
  /** What the policy that logged earned per impression. */
  logged: MeanWithError;
  policies: PolicyReport[];
  report: ImpressionFile["report"];
}

/** Throws what reading and loading throw; ConfigError when a policy is neither a column nor a model, or there is none. */
export async function evaluateImpressions(file: string, options: ImpressionsOptions = {}): Promise<ImpressionsEvaluation> {
  const { policies: wanted, recipe, workspace, temperature, clip, level, ...reading } = options;
  const run = recipe === undefined ? undefined : await latestRun(workspace, recipe);
  const labels = run?.result.models.map(({ label }) => label) ?? [];
  const modelNames = (wanted ?? []).filter((name) => labels.includes(name));
  const columnNames = wanted?.filter((name) => !labels.includes(name));
  const data = await readImpressions(file, { ...reading, targets: columnNames }).catch((error: unknown) => {
    throw explain(error, labels, wanted);
  });
  const log: LoggedImpressions = { ...data, numItems: data.items.size };
  const { predicted, expected } = data;
  const policies = Object.entries(data.targets).map(([name, probability]) =>
    evaluatePolicy(log, { name, probability, predicted, expected }, { clip, level }),
  );
  for (const label of modelNames) {
    const { model } = await run!.workspace.models.load(label, { version: versionOf(run!.result, label), threads: options.threads });
    try {
      policies.push(await judgeModel(model, { label, data, log, temperature, signal: options.signal }, { clip, level }));
    } finally {
      model.dispose();
    }
  }
  if (policies.length === 0)
    throw new ConfigError(`${file} has no column with the probabilities of another policy.`, {
      hint: "Name one with --policy COLUMN (call it target_probability to have it found), or a trained model with `evaluate <recipe> --impressions FILE --policy MODEL`.",
      details: { path: "policy", allowed: labels },
    });
  return {
    numRows: log.itemIndex.length,
    numUsers: data.users?.size,
    numItems: data.items.size,
    numLowerPlaces: data.numLowerPlaces,
    logged: loggedValue(log, level),
    policies,
    report: data.report,
  };
}

interface ModelOnLog {
  label: string;
  data: ImpressionFile;
  log: LoggedImpressions;
  temperature: number | undefined;
  signal: AbortSignal | undefined;
}

/** The model chooses among the items of the log that it knows; its indexes take the place of the file's. */
async function judgeModel(
  model: Recommender,
  { label, data, log, temperature, signal }: ModelOnLog,
  options: PolicyOptions,
): Promise<PolicyReport> {
  const { users, items } = data;
  const itemOf = Int32Array.from(items.ids(), (id) => model.items.indexOf(id));
  const userOf = users && Int32Array.from(users.ids(), (id) => model.users.indexOf(id));
  const candidates = itemOf.filter((item) => item >= 0);
  const unknownItems = itemOf.length - candidates.length;
  if (candidates.length === 0)
    throw new ConfigError(`The model ${label} knows none of the ${itemOf.length} items of the log.`, {
      hint: "Check that the log and the training data use the same item ids.",
      details: { path: "policy", got: label },
    });
  const onModel = temperature === undefined ? greedyPolicy(model, candidates) : softmaxPolicy(model, candidates, temperature);
  const fileItem = new Map(Array.from(itemOf, (item, index) => [item, index]));
  const policy: TargetPolicy = {
    name: onModel.name.replace(model.name, label),
    candidates: candidates.map((item) => fileItem.get(item)!),
    probabilities: (userIndexes, stop) =>
      onModel.probabilities(
        userIndexes.map((user) => (user < 0 || !userOf ? -1 : userOf[user])),
        stop,
      ),
  };
  const report = evaluatePolicy(log, await policyOnLog(log, policy, { signal }), options);
  const unknownUsers = userOf?.reduce((count, user) => count + (user < 0 ? 1 : 0), 0) ?? 0;
  if (unknownItems > 0)
    report.warnings.push(`The model does not know ${unknownItems} of the ${itemOf.length} items of the log and never shows them.`);
  if (unknownUsers > 0)
    report.warnings.push(
      `The model does not know ${unknownUsers} of the ${userOf!.length} users of the log; they get its popularity fallback.`,
    );
  return report;
}

function versionOf(result: { models: { label: string; version?: string }[] }, label: string): string | undefined {
  return result.models.find((model) => model.label === label)!.version;
}

/** A policy that is no column may be a misspelt model. */
function explain(error: unknown, labels: readonly string[], wanted: readonly string[] | undefined): unknown {
  if (!(error instanceof ConfigError) || labels.length === 0 || !wanted) return error;
  const { got, allowed } = error.details as { got?: string; allowed?: readonly string[] };
  if (got === undefined || !wanted.includes(got)) return error;
  return new ConfigError(`The policy ${JSON.stringify(got)} is neither a trained model nor a column of the log.`, {
    hint: nameHint(got, [...labels, ...(allowed ?? [])]),
    cause: error,
    details: { path: "policy", got, allowed: [...labels, ...(allowed ?? [])] },
  });
}
