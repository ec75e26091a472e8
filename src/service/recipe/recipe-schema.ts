/**
 * The zod schema of a recipe as it is written, and the errors it gives: the path, the line and the nearest name.
 * Called by `recipe.ts`.
 */
import { z } from "zod";
import { ConfigError } from "../../core/errors.js";
import { nameHint } from "../../core/nearest-names.js";
import { DEFAULT_METRICS } from "../../evaluation/evaluate.js";
import { QUESTION_KINDS } from "../evaluation/part-cases.js";
import { splitSchema } from "./recipe-split.js";
import { indexSchema, pageSchema, routeSchema } from "./route-schema.js";

const columnName = z.string().min(1);
const label = z.string().regex(/^[A-Za-z0-9_-][A-Za-z0-9._-]*$/, "use letters, digits, dots, hyphens and underscores");

const fileNames = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);

/** A table of a query: its files, alone or with how a text is written. */
const tableSchema = z.union([
  fileNames,
  z.strictObject({
    files: fileNames,
    columns: z.array(columnName).min(1).optional(),
    header: z.boolean().optional(),
    delimiter: z.string().min(1).optional(),
    quote: z.enum(["", '"', "'"]).optional(),
  }),
]);

const sourceSchema = z.strictObject({
  file: z.string().min(1).optional(),
  sql: z.string().min(1).optional(),
  tables: z.record(z.string(), tableSchema).optional(),
  parameters: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
  passes: z.int().min(1).max(1000).optional(),
  catalogue: z.literal(true).optional(),
  generator: z
    .strictObject({
      name: z.enum(["demo"]),
      customers: z.int().min(10).max(100_000).optional(),
      products: z.int().min(12).optional(),
      seed: z.int().min(0).optional(),
    })
    .optional(),
  format: z.enum(["csv", "parquet", "jsonl", "python", "xlsx"]).optional(),
  delimiter: z.string().min(1).optional(),
  columns: z
    .strictObject({
      user: columnName.nullable().optional(),
      item: columnName.optional(),
      timestamp: columnName.nullable().optional(),
      weight: columnName.nullable().optional(),
      basket: columnName.nullable().optional(),
    })
    .optional(),
  header: z.boolean().optional(),
  timeFormat: z.string().min(1).optional(),
  sheet: z.union([z.string(), z.int().min(0)]).optional(),
  memoryLimit: z.string().optional(),
  maxRows: z.int().min(1).optional(),
});

const featureKind = z.enum(["category", "number", "text", "vector"]);

const featureTableSchema = z.strictObject({
  file: z.string().min(1).optional(),
  id: columnName.optional(),
  format: z.enum(["csv", "parquet", "jsonl", "python", "xlsx"]).optional(),
  delimiter: z.string().min(1).optional(),
  header: z.boolean().optional(),
  sheet: z.union([z.string(), z.int().min(0)]).optional(),
  columns: z
    .record(
      z.string(),
      z.union([
        featureKind,
        z.strictObject({ kind: featureKind, column: columnName.optional(), columns: z.array(columnName).min(1).optional() }),
      ]),
    )
    .refine((columns) => Object.keys(columns).length > 0, "name at least one feature, such as colour: category"),
  withoutEvents: z.enum(["drop", "keep"]).default("drop"),
});

const itemTableSchema = featureTableSchema.extend({
  properties: z.record(z.string(), columnName).optional(),
  withoutFeatures: z.enum(["drop", "keep"]).default("keep"),
});

const eventTextsSchema = z.strictObject({
  columns: z
    .record(z.string(), z.union([z.literal("text"), z.strictObject({ kind: z.literal("text"), column: columnName.optional() })]))
    .refine((columns) => Object.keys(columns).length > 0, "name at least one text, such as review: text"),
});

const evaluationKeys = {
  questions: z.enum(QUESTION_KINDS),
  metrics: z.array(z.string()).min(1),
  excludeSeen: z.union([z.boolean(), z.literal("auto")]),
  onlyKnownUsers: z.boolean(),
  foldIn: z.array(label),
  choose: z.string(),
  baseline: label,
};

const evaluationSchema = z.strictObject({
  questions: evaluationKeys.questions.default("user"),
  metrics: evaluationKeys.metrics.default([...DEFAULT_METRICS]),
  excludeSeen: evaluationKeys.excludeSeen.default("auto"),
  onlyKnownUsers: evaluationKeys.onlyKnownUsers.default(false),
  foldIn: evaluationKeys.foldIn.default([]),
  choose: evaluationKeys.choose.optional(),
  baseline: evaluationKeys.baseline.optional(),
});

const scenarioSchema = z.strictObject({
  name: label,
  title: z.string().optional(),
  models: z.array(label).min(1).optional(),
  evaluation: z.strictObject(evaluationKeys).partial().prefault({}),
});

export const recipeSchema = z.strictObject({
  name: label,
  title: z.string().optional(),
  source: sourceSchema,
  clean: z
    .strictObject({
      drop: z.array(z.strictObject({ reason: z.string().min(1), where: z.string().min(1) })).default([]),
      keepUnknownUsers: z.boolean().default(false),
      weightDefault: z.number().min(0).optional(),
    })
    .prefault({}),
  itemProperties: z.record(z.string(), columnName).optional(),
  features: z
    .strictObject({ users: featureTableSchema.optional(), items: itemTableSchema.optional(), events: eventTextsSchema.optional() })
    .optional(),
  split: z.strictObject({ validation: splitSchema.optional(), test: splitSchema.optional() }).prefault({}),
  models: z
    .array(z.strictObject({ name: z.string(), label: label.optional(), params: z.record(z.string(), z.unknown()).default({}) }))
    .min(1),
  evaluation: evaluationSchema.prefault({}),
  scenarios: z.array(scenarioSchema).min(1).optional(),
  tune: z
    .strictObject({
      trials: z.int().min(1).optional(),
      seconds: z.number().positive().optional(),
      sampler: z.enum(["grid", "random", "sobol", "tpe"]).default("tpe"),
      scheduler: z.enum(["none", "median", "asha"]).default("none"),
      metric: z.string().optional(),
      models: z.array(label).min(1).optional(),
      space: z.record(z.string(), z.record(z.string(), z.unknown())).default({}),
      seed: z.int().min(0).optional(),
      window: z.int().min(1).max(64).default(4),
    })
    .prefault({}),
  seed: z.int().min(0).default(42),
  serve: z
    .strictObject({
      host: z.string().default("127.0.0.1"),
      port: z.int().min(0).max(65_535).default(8080),
      model: label.optional(),
      index: z
        .union([z.enum(["exact", "approximate"]), indexSchema])
        .default("exact")
        .transform((given) => (given === "exact" ? undefined : given === "approximate" ? indexSchema.parse({}) : given)),
      routes: z.array(routeSchema).default([]),
      log: z.string().min(1).optional(),
      aliases: z.string().min(1).optional(),
      page: pageSchema.optional(),
    })
    .prefault({}),
});

export type ParsedRecipe = z.output<typeof recipeSchema>;

/** A fault of a recipe as an error, a misspelt key before what it makes missing; `where` turns a path into `file:line: path`. */
export function recipeError(
  issues: readonly z.core.$ZodIssue[],
  json: unknown,
  where: (path: readonly PropertyKey[]) => string,
): ConfigError {
  const issue = issues.find(({ code }) => code === "unrecognized_keys") ?? issues[0];
  const path = issue.path.map(String).join(".");
  if (issue.code === "unrecognized_keys") {
    const [key] = issue.keys;
    const known = keysAt(issue.path, json);
    return new ConfigError(`${where([...issue.path, key])}: there is no such key.`, {
      hint: nameHint(key, known),
      details: { path: [...issue.path, key].join("."), allowed: known },
    });
  }
  const got = issue.path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key], json);
  const message = got === undefined ? "is missing" : `is ${JSON.stringify(got)}`;
  return new ConfigError(`${where(issue.path)} ${message}.`, { hint: `${issue.message}.`, details: { path, got } });
}

/** Names that the strict object at `path` knows, where `json` is what was written. */
function keysAt(path: readonly PropertyKey[], json: unknown): string[] {
  let at = unwrap(recipeSchema);
  let written = json;
  for (const key of path) {
    written = (written as Record<PropertyKey, unknown> | undefined)?.[key];
    if (at instanceof z.ZodObject) at = unwrap(at.shape[String(key)]);
    else if (at instanceof z.ZodArray) at = unwrap(at.element as z.ZodType);
    if (at instanceof z.ZodDiscriminatedUnion) at = optionFor(at, written);
  }
  return at instanceof z.ZodObject ? Object.keys(at.shape) : [];
}

/** The member of a union that accepts the discriminator of what was written. */
function optionFor({ def: { options, discriminator } }: z.ZodDiscriminatedUnion, written: unknown): z.ZodType {
  const chosen = (written as Record<string, unknown> | undefined)?.[discriminator];
  return options.find((option) => option instanceof z.ZodObject && option.shape[discriminator].safeParse(chosen).success) as z.ZodType;
}

function unwrap(schema: z.ZodType): z.ZodType {
  let at = schema;
  while (at instanceof z.ZodOptional || at instanceof z.ZodDefault || at instanceof z.ZodPrefault || at instanceof z.ZodPipe)
    at = (at instanceof z.ZodPipe ? (at.in instanceof z.ZodTransform ? at.out : at.in) : at.unwrap()) as z.ZodType;
  return at;
}
