/**
 * The `split` part of a recipe. Written as one flat object, so that a misspelt key gets its nearest name, and turned
 * into the splits of `data/splits.ts`; `auto` takes the last part of the time when the timestamps differ, else random events.
 */
import { z } from "zod";
import { ConfigError } from "../../core/errors.js";
import type { Interactions } from "../../core/interactions.js";
import type { FoldsSpec, SplitSpec } from "../../data/splits.js";
import type { LeakOptions } from "../../evaluation/leaks.js";

const fraction = z.number().gt(0).lt(1);
const moment = z.string().transform((text, context) => {
  const time = /^\d{4}-\d{2}-\d{2}/.test(text)
    ? Date.parse(/^\d{4}-\d{2}-\d{2}$/.test(text) ? text : /(Z|[+-]\d{2}:?\d{2})$/.test(text) ? text : `${text.replace(" ", "T")}Z`)
    : NaN;
  if (Number.isNaN(time)) context.addIssue({ code: "custom", message: "write a UTC date such as 2011-11-09 or 2011-11-09 08:30:00" });
  return time;
});

/** Keys of each kind of split: those it needs, and those it may have. */
const kinds = {
  auto: { needs: [], may: ["testFraction"] },
  time: { needs: [], may: ["at", "until", "testFraction"] },
  "last-days": { needs: ["days"], may: [] },
  "time-per-user": { needs: ["testFraction"], may: [] },
  random: { needs: ["testFraction"], may: ["seed", "repeats"] },
  "random-per-user": { needs: ["testFraction"], may: ["seed", "repeats"] },
  "leave-last-out": { needs: ["perUser"], may: [] },
  "leave-last-basket": { needs: [], may: ["perUser"] },
  "held-out-users": { needs: ["testFraction"], may: ["seed", "repeats", "givenFraction", "given"] },
  folds: { needs: ["folds"], may: ["of", "seed", "givenFraction", "given"] },
  files: { needs: ["files"], may: [] },
} as const satisfies Record<string, { needs: readonly string[]; may: readonly string[] }>;

export const splitSchema = z
  .strictObject({
    by: z.enum(Object.keys(kinds) as (keyof typeof kinds)[]),
    at: moment.optional(),
    until: moment.optional(),
    testFraction: fraction.optional(),
    days: z.number().positive().optional(),
    seed: z.int().min(0).optional(),
    repeats: z.int().min(1).max(100).optional(),
    perUser: z.int().min(1).optional(),
    givenFraction: fraction.optional(),
    given: z.int().min(1).optional(),
    folds: z.int().min(2).optional(),
    of: z.enum(["events", "users"]).optional(),
    files: z
      .array(z.strictObject({ train: z.string().min(1), test: z.string().min(1) }))
      .min(1)
      .optional(),
  })
  .superRefine((split, context) => {
    const { needs, may } = kinds[split.by];
    const missing = needs.find((key) => split[key as keyof typeof split] === undefined);
    const known = ["by", ...needs, ...may] as string[];
    const extra = Object.keys(split).find((key) => split[key as keyof typeof split] !== undefined && !known.includes(key));
    if (missing) context.addIssue({ code: "custom", path: [missing], message: `a split by ${split.by} needs ${missing}` });
    else if (extra) context.addIssue({ code: "custom", path: [extra], message: `a split by ${split.by} knows ${known.join(", ")}` });
    else if (split.by === "time" && (split.at === undefined) === (split.testFraction === undefined))
      context.addIssue({ code: "custom", path: [], message: "a split by time needs either at or testFraction" });
    else if (split.by === "folds" && split.of !== "users" && (split.given !== undefined || split.givenFraction !== undefined))
      context.addIssue({ code: "custom", path: ["of"], message: "only folds of users have a given part" });
  });

export type RecipeSplit = z.output<typeof splitSchema>;

/** Official folds: files of their own, read by `prepare-data.ts`. */
export interface FilesSpec {
  by: "files";
  files: readonly { train: string; test: string }[];
}

/** The split to make of `data`, and the sentence that says so. Draws by more than one seed are made by `splitRepeats`. */
export function resolveSplit(split: RecipeSplit, data: Interactions): { spec: SplitSpec | FoldsSpec | FilesSpec; description: string } {
  const {
    by,
    at,
    until,
    testFraction = 0.2,
    days = 0,
    seed = 42,
    repeats = 1,
    perUser = 1,
    givenFraction,
    given,
    folds = 2,
    of = "events",
    files = [],
  } = split;
  const share = `${Math.round(testFraction * 100)} %`;
  const day = (time: number) => new Date(time).toISOString().replace(/T00:00:00\.000Z$/, "");
  const drawn = repeats > 1 ? `seeds ${seed} to ${seed + repeats - 1}, means over them` : `seed ${seed}`;
  const last = (what: string) => (perUser === 1 ? `the last ${what} of each user` : `the last ${perUser} ${what}s of each user`);
  switch (by) {
    case "auto": {
      if (data.timestamp && !allEqual(data.timestamp)) return resolveSplit({ by: "time", testFraction }, data);
      const atRandom = resolveSplit({ by: "random", testFraction, seed }, data);
      return data.timestamp ? { ...atRandom, description: `${atRandom.description}, as all have the same time` } : atRandom;
    }
    case "time":
      if (at === undefined) return { spec: { by, testFraction }, description: `the last ${share} of the events by time` };
      return { spec: { by, at, until }, description: `events from ${day(at)}${until === undefined ? "" : ` to ${day(until)}`}` };
    case "last-days":
      return { spec: { by, days }, description: `the last ${days} days` };
    case "time-per-user":
      return { spec: { by, testFraction }, description: `the last ${share} of each user's events` };
    case "random":
      return { spec: { by, testFraction, seed }, description: `${share} of the events at random (${drawn})` };
    case "random-per-user":
      return { spec: { by, testFraction, seed }, description: `${share} of each user's events at random (${drawn})` };
    case "leave-last-out":
      return { spec: { by, perUser }, description: last("event") };
    case "leave-last-basket":
      return { spec: { by, perUser }, description: last("basket") };
    case "held-out-users":
      return {
        spec: { by, testFraction, seed, givenFraction, given },
        description: `${share} of the users (${drawn}), judged on a part of their events`,
      };
    case "folds":
      return {
        spec: { by, folds, of, seed, givenFraction, given },
        description: `${folds} folds of the ${of} (seed ${seed}), means over them`,
      };
    case "files":
      return {
        spec: { by, files },
        description:
          files.length === 1 ? `the file ${files[0].test}` : `${files.length} official folds (${files[0].test} …), means over them`,
      };
  }
}

/** No instant then leaves events on both sides of it. */
function allEqual(times: Float64Array): boolean {
  return times.every((time) => time === times[0]);
}

/** The order of time that a split promises between train and test. */
export function promisedOrder({ by }: SplitSpec | FoldsSpec | FilesSpec): NonNullable<LeakOptions["order"]> {
  if (by === "time" || by === "last-days") return "global";
  return by === "time-per-user" || by === "leave-last-out" || by === "leave-last-basket" ? "per-user" : "none";
}

/** Folds as the test part leave nothing that a validation part could be cut off once; only the test part goes by files. */
export function checkParts({ test, validation }: { test?: RecipeSplit; validation?: RecipeSplit }): void {
  if (validation?.by === "files")
    throw new ConfigError("The validation part cannot go by files.", {
      hint: "Only split.test goes by files; validate by another split, such as folds.",
      details: { path: "split.validation" },
    });
  if (validation && (test?.by === "folds" || test?.by === "files"))
    throw new ConfigError(`A test part by ${test.by} cannot stand beside a validation part.`, {
      hint: "Leave split.validation out, or test by another split and validate by folds.",
      details: { path: "split.validation" },
    });
}
