/**
 * The `split` part of a recipe. Written as one flat object, so that a misspelt key gets its nearest name, and turned
 * into the splits of `data/splits.ts`; `auto` takes the last part of the time when there are timestamps, else random events.
 */
import { z } from "zod";
import type { Interactions } from "../core/interactions.js";
import type { SplitSpec } from "../data/splits.js";

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
  random: { needs: ["testFraction"], may: ["seed"] },
  "leave-last-out": { needs: ["perUser"], may: [] },
  "held-out-users": { needs: ["testFraction"], may: ["seed", "givenFraction", "given"] },
} as const satisfies Record<string, { needs: readonly string[]; may: readonly string[] }>;

export const splitSchema = z
  .strictObject({
    by: z.enum(["auto", "time", "last-days", "random", "leave-last-out", "held-out-users"]),
    at: moment.optional(),
    until: moment.optional(),
    testFraction: fraction.optional(),
    days: z.number().positive().optional(),
    seed: z.int().min(0).optional(),
    perUser: z.int().min(1).optional(),
    givenFraction: fraction.optional(),
    given: z.int().min(1).optional(),
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
  });

export type RecipeSplit = z.output<typeof splitSchema>;

/** The split to make of `data`, and the sentence that says so. */
export function resolveSplit(split: RecipeSplit, data: Interactions): { spec: SplitSpec; description: string } {
  const { by, at, until, testFraction = 0.2, days = 0, seed = 42, perUser = 1, givenFraction, given } = split;
  const share = `${Math.round(testFraction * 100)} %`;
  const day = (time: number) => new Date(time).toISOString().replace(/T00:00:00\.000Z$/, "");
  switch (by) {
    case "auto":
      return resolveSplit(data.timestamp ? { by: "time", testFraction } : { by: "random", testFraction, seed }, data);
    case "time":
      if (at === undefined) return { spec: { by, testFraction }, description: `the last ${share} of the events by time` };
      return { spec: { by, at, until }, description: `events from ${day(at)}${until === undefined ? "" : ` to ${day(until)}`}` };
    case "last-days":
      return { spec: { by, days }, description: `the last ${days} days` };
    case "random":
      return { spec: { by, testFraction, seed }, description: `${share} of the events at random (seed ${seed})` };
    case "leave-last-out":
      return {
        spec: { by, perUser },
        description: perUser === 1 ? "the last event of each user" : `the last ${perUser} events of each user`,
      };
    case "held-out-users":
      return {
        spec: { by, testFraction, seed, givenFraction, given },
        description: `${share} of the users (seed ${seed}), judged on a part of their events`,
      };
  }
}
