/**
 * The text of a new recipe: what a file suggests, each line with its reason, so that a person can see what to change.
 * Called by init-recipe.ts, which checks it like any other recipe.
 */
import { stringify } from "yaml";
import type { ModelDefinition } from "../../core/model.js";
import type { ReadReport } from "../../data/readers/read-dataset.js";
import { listModels } from "../../models/registry.js";
import type { FileFacts } from "./data-facts.js";

export interface RecipeTextInput {
  name: string;
  title: string;
  /** As it is written under source.file. */
  file: string;
  /** Given on the command line, so written down though they could be guessed. */
  format?: string;
  delimiter?: string;
  timeFormat?: string;
  sheet?: string;
  report: ReadReport;
  /** Property → column. */
  properties: Readonly<Record<string, string>>;
  facts: FileFacts;
}

export function recipeText(input: RecipeTextInput): string {
  const { name, title, file, facts, report } = input;
  const sections = [
    [
      `# ${title}: ${count(facts.numInteractions)} events of ${count(facts.numUsers)} users and ${count(facts.numItems)} items. Made by \`tastemaker init\` from what the file looks like.`,
      "# Try it: `tastemaker run THIS_FILE --fast`, then without --fast. Every key: docs/recipes.md.",
      `name: ${name} # of the folder of results`,
      `title: ${scalar(title)}`,
    ],
    sourceLines(file, input),
    cleanLines(facts, report),
    propertyLines(input),
    splitLines(facts),
    modelLines(facts),
    evaluationLines(facts),
    ["seed: 42 # every random choice follows from it", "serve: { host: 127.0.0.1, port: 8080 } # with --serve"],
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n")}\n`;
}

function sourceLines(file: string, { report, format, delimiter, timeFormat, sheet }: RecipeTextInput): string[] {
  const { columns, guessed } = report;
  const told = { format, delimiter, timeFormat, sheet };
  const roles = ["user", "item", "timestamp", "weight", "basket"] as const;
  const meanings = {
    user: "who",
    item: "what",
    timestamp: "when",
    weight: "how much, or which rating",
    basket: "order, invoice or session",
  };
  return [
    "source:",
    `  file: ${scalar(file)} # looked for in --data DIR, then beside this recipe`,
    ...Object.entries(told).flatMap(([key, value]) => (value === undefined ? [] : [`  ${key}: ${scalar(value)}`])),
    "  columns:",
    ...roles.map((role) => {
      const column = columns[role];
      if (column === undefined) return `    ${role}: null # none found (${meanings[role]})`;
      const why = guessed.find((guess) => guess.role === role)?.why;
      return `    ${role}: ${scalar(column)} # ${meanings[role]}${why ? `: ${why}` : ""}`;
    }),
  ];
}

function cleanLines({ negativeWeights, emptyWeights, withoutUser, copies, numInteractions }: FileFacts, { columns }: ReadReport): string[] {
  const lines: string[] = [];
  if (negativeWeights > 0)
    lines.push(
      `  drop: # rows that do not count, each kind under a reason; \`where\` is SQL over the file's columns`,
      `    - { reason: returned, where: ${scalar(`${identifier(columns.weight!)} < 0`)} } # ${rows(negativeWeights)}`,
    );
  if (withoutUser > 0) lines.push(`  keepUnknownUsers: true # ${rows(withoutUser)} without a user: their items still count for popularity`);
  if (emptyWeights > 0)
    lines.push(`  weightDefault: 1 # for ${rows(emptyWeights)} with an empty ${columns.weight}; without it they are rejected`);
  if (copies > 0)
    lines.push(
      `  # ${rows(copies)} of ${count(numInteractions)} repeat user, item and time of an earlier one, and count again. If they are copies, remove them from the file.`,
    );
  if (lines.length === 0) return [];
  return lines.every((line) => line.startsWith("  #")) ? lines.map((line) => line.trim()) : ["clean:", ...lines];
}

function propertyLines({ properties, report, facts }: RecipeTextInput): string[] {
  const entries = Object.entries(properties);
  if (entries.length === 0) return [];
  const mapped = entries.map(([property, column]) => `${property}: ${scalar(column)}`).join(", ");
  const lines = [`itemProperties: { ${mapped} } # shown beside recommended items`];
  if (!facts.hasItemFeatures) return lines;
  const kinds = { category: "category", price: "number" } as const;
  const features = Object.entries(kinds).flatMap(([property, kind]) =>
    properties[property] === undefined ? [] : [`${property}: { kind: ${kind}, column: ${scalar(properties[property])} }`],
  );
  return [
    ...lines,
    "features: # what is known of items, for the models that read it",
    `  items: { id: ${scalar(report.columns.item!)}, columns: { ${features.join(", ")} } }`,
  ];
}

function splitLines({ hasTimestamps, days, lastDays, knownLater = 0 }: FileFacts): string[] {
  const parts = (split: string, smaller: string, why: string) => [
    `split: # ${why}`,
    `  test: ${split} # only reported`,
    `  validation: ${smaller} # chooses the champion; cut off what the test part leaves`,
  ];
  if (!hasTimestamps || days === 0) {
    const kind = (share: number) => `{ by: random-per-user, testFraction: ${share} }`;
    return parts(
      kind(0.2),
      kind(0.1),
      hasTimestamps ? "all events have the same time, so parts are random" : "without times, parts are random",
    );
  }
  if (knownLater < 0.5) {
    const kind = (share: number) => `{ by: time-per-user, testFraction: ${share} }`;
    return parts(kind(0.2), kind(0.1), "each user's last events: most users of the last fifth of the time have no earlier event");
  }
  if (lastDays !== undefined) {
    const kind = `{ by: last-days, days: ${lastDays} }`;
    return parts(kind, kind, `the last days, as the models will be asked: ${Math.round(days!)} days in all`);
  }
  const kind = (share: number) => `{ by: time, testFraction: ${share} }`;
  return parts(kind(0.2), kind(0.1), "the last events by time, as the models will be asked");
}

function modelLines(facts: FileFacts): string[] {
  const all = [...listModels()].sort((a, b) => (a.complexity ?? 0) - (b.complexity ?? 0));
  const suits = ({ task, unsuited, requires }: ModelDefinition) =>
    (task !== "rate" || facts.ratings !== undefined) && task !== "rank" && !unsuited?.(facts) && (!requires || facts.hasItemFeatures);
  const suited = all.filter(suits);
  const line = ({ name, description }: ModelDefinition) => `- name: ${name} # ${firstSentence(description)}`;
  const others = suited.filter(({ starter, onlyIfNamed }) => !starter && onlyIfNamed === undefined);
  return [
    "models: # from simple to complex; each is fitted, judged and saved",
    ...suited.filter(({ starter }) => starter).map((definition) => `  ${line(definition)}`),
    "  # Also fit for this data (`tastemaker models` explains all of them):",
    ...others.map((definition) => `  # ${line(definition)}${definition.needs ? "; a neural network: slow, needs onnxruntime-node" : ""}`),
  ];
}

function evaluationLines({ ratings, repeatShare, numBaskets, hasTimestamps }: FileFacts): string[] {
  const metrics = [...(ratings ? ["rmse"] : []), "ndcg@10", "recall@10", "hit-rate@10", "coverage@10"];
  const share = `${(100 * repeatShare).toFixed(0)} % of the events repeat an earlier one`;
  return [
    "evaluation:",
    `  metrics: [${metrics.join(", ")}]${ratings ? ` # rmse of ratings from ${ratings.least} to ${ratings.most}, for models that predict some` : ""}`,
    "  choose: ndcg@10 # decides the champion",
    `  excludeSeen: ${repeatShare < 0.1} # whether what a user had before is left out: ${share}`,
    ...(numBaskets > 0 && hasTimestamps
      ? [
          `  # questions: basket # ask once for each of the ${count(numBaskets)} baskets instead of once for each user; or line: for the next item of one`,
        ]
      : []),
  ];
}

const firstSentence = (text: string) => text.split(/[.;](\s|$)/)[0];
const count = (number: number) => number.toLocaleString("en");
const rows = (number: number) => (number === 1 ? "1 row" : `${count(number)} rows`);

/** A YAML scalar on one line. */
function scalar(text: string): string {
  return stringify(text, {
    lineWidth: 0,
    defaultStringType: /[\n#:{}[\],&*!|>'"%@`]|^\s|\s$/.test(text) ? "QUOTE_DOUBLE" : "PLAIN",
  }).trimEnd();
}

/** A column in SQL. */
function identifier(column: string): string {
  return /^[A-Za-z_]\w*$/.test(column) ? column : `"${column.replaceAll('"', '""')}"`;
}
