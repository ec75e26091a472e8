/**
 * Decides which column is user, item, time, weight and basket: by the caller, else by names, else by contents, and says why.
 * Names are weighed in `column-names.ts`. Called by `read-dataset.ts` with a sample of the source's rows.
 */
import { ConfigError } from "../../core/errors.js";
import { nameHint } from "../../core/nearest-names.js";
import { nameFit, propertyFit, propertyNames } from "./column-names.js";
import type { ColumnChoice, ColumnNames, Guess, Role, SourceColumn } from "./read-types.js";
import { describeTime, detectTimeFormat, type TimeFormat } from "./time-format.js";

/** A column with its values in the first rows of the source; null where the cell is empty. */
export interface ColumnSample extends SourceColumn {
  values: readonly (string | null)[];
}

export interface GuessedColumns {
  columns: ColumnNames;
  guessed: Guess[];
}

interface Facts {
  name: string;
  position: number;
  /** Share of the cells that are not empty. */
  filled: number;
  distinct: number;
  rows: number;
  numeric: boolean;
  /** Numbers without fraction. */
  whole: boolean;
  time: TimeFormat | undefined;
  /** Each value once and in steps of one: a row number. */
  counter: boolean;
  longText: boolean;
}

const ROLES: readonly Role[] = ["timestamp", "user", "item", "basket", "weight"];
const NUMBER = /^\s*[-+]?(\d+([.,]\d*)?|[.,]\d+|\d{1,3}(,\d{3})+(\.\d*)?|\d{1,3}(\.\d{3})+(,\d*)?)(e[-+]?\d+)?\s*$/i;
const FLAGS: Readonly<Record<Role, string>> = {
  user: "--user",
  item: "--item",
  timestamp: "--time",
  weight: "--weight",
  basket: "--basket",
};

/**
 * Columns for all roles. Roles in `choice` are taken as said (null = none); the others are guessed, each with its reason.
 * `named` is false when the file has no header: then only contents and position count.
 * Throws ConfigError when a named column does not exist (with the nearest names) and when user or item cannot be guessed.
 * A missing user is fine when there is a basket.
 */
export function guessColumns(samples: readonly ColumnSample[], choice: ColumnChoice = {}, named = true): GuessedColumns {
  const facts = samples.map(factsOf);
  const columns: ColumnNames = {};
  const guessed: Guess[] = [];
  for (const role of ROLES) {
    const wanted = choice[role];
    if (wanted === undefined || wanted === null) continue;
    columns[role] = findColumn(samples, wanted, `columns.${role}`);
  }
  const isOpen = (role: Role) => choice[role] === undefined && columns[role] === undefined;
  const free = () => facts.filter(({ name }) => !Object.values(columns).includes(name));
  const take = (role: Role, fact: Facts, why: string) => {
    columns[role] = fact.name;
    guessed.push({ role, column: fact.name, why });
  };
  if (named) {
    for (const role of ROLES) {
      if (!isOpen(role)) continue;
      const best = bestByName(free(), role);
      if (best) take(role, best, `its name says ${role}`);
    }
  }
  guessByContents({ free, isOpen, take, named, hasBasket: columns.basket !== undefined });
  requireColumns(samples, columns, choice);
  const order = (role: string) => ["user", "item", "timestamp", "weight", "basket"].indexOf(role);
  return { columns, guessed: guessed.sort((a, b) => order(a.role) - order(b.role)) };
}

/** The exact name in the source; case may differ where that is unambiguous. Throws ConfigError with the nearest names. */
export function findColumn(columns: readonly SourceColumn[], wanted: string, path: string): string {
  const exact = columns.find(({ name }) => name === wanted);
  const loose = columns.filter(({ name }) => name.toLowerCase() === wanted.toLowerCase());
  if (exact) return exact.name;
  if (loose.length === 1) return loose[0].name;
  const names = columns.map(({ name }) => name);
  throw new ConfigError(`There is no column ${JSON.stringify(wanted)}; the file has ${listed(names)}.`, {
    hint: nameHint(wanted, names),
    details: { path, got: wanted, allowed: names },
  });
}

/**
 * Property → column for a title, a price and a category, as far as names tell. Columns that have a role are left out,
 * and so are titles that are numbers and prices that are not.
 */
export function guessItemProperties(
  samples: readonly ColumnSample[],
  taken: ColumnNames = {},
): { properties: Record<string, string>; guessed: Guess[] } {
  const used = new Set(Object.values(taken));
  const properties: Record<string, string> = {};
  const guessed: Guess[] = [];
  for (const property of propertyNames) {
    let best: { fact: Facts; fit: number } | undefined;
    for (const fact of samples.map(factsOf)) {
      const fit = used.has(fact.name) || fact.filled === 0 ? 0 : propertyFit(fact.name, property);
      const fits = property === "price" ? fact.numeric : property === "title" ? !fact.numeric : true;
      if (fits && fit > (best?.fit ?? 0)) best = { fact, fit };
    }
    if (!best) continue;
    used.add(best.fact.name);
    properties[property] = best.fact.name;
    guessed.push({ role: `property ${property}`, column: best.fact.name, why: `its name says ${property}` });
  }
  return { properties, guessed };
}

function factsOf({ name, type, values }: ColumnSample, position: number): Facts {
  const filled = values.filter((value): value is string => value !== null && value.trim() !== "");
  const numbers = filled.filter((value) => NUMBER.test(value));
  const numeric = filled.length > 0 && numbers.length >= filled.length * 0.8;
  const distinct = new Set(filled).size;
  const whole = numeric && numbers.every((value) => /^\s*[-+]?\d+(\.0*)?\s*$/.test(value));
  return {
    name,
    position,
    filled: values.length === 0 ? 0 : filled.length / values.length,
    distinct,
    rows: values.length,
    numeric,
    whole,
    time: detectTimeFormat(filled, type),
    counter:
      whole &&
      distinct === values.length &&
      values.length > 1 &&
      filled.every((value, i) => i === 0 || Number(value) - Number(filled[i - 1]) === 1),
    longText: filled.filter((value) => value.length > 200).length * 2 > filled.length,
  };
}

/** A fitting name counts only when the contents can be it. */
function canBe(role: Role, fact: Facts): boolean {
  if (fact.rows > 0 && fact.filled === 0) return false;
  if (role === "timestamp") return fact.time !== undefined || fact.rows === 0;
  if (role === "weight") return fact.numeric || fact.rows === 0;
  return !fact.longText;
}

function bestByName(free: readonly Facts[], role: Role): Facts | undefined {
  let best: { fact: Facts; fit: number } | undefined;
  for (const fact of free) {
    const fit = canBe(role, fact) ? nameFit(fact.name, role) : 0;
    // A name may fit two roles a little; it goes to the one that it fits best.
    const elsewhere = Math.max(...ROLES.filter((other) => other !== role).map((other) => nameFit(fact.name, other)));
    if (fit > (best?.fit ?? 0) && fit >= elsewhere) best = { fact, fit };
  }
  return best?.fact;
}

interface Open {
  free(): Facts[];
  isOpen(role: Role): boolean;
  take(role: Role, fact: Facts, why: string): void;
  named: boolean;
  /** A basket can stand for the user, so nothing doubtful is taken for one. */
  hasBasket: boolean;
}

/** Settles user and item (and in files without a header time and weight) when there is exactly one way to do it. */
function guessByContents({ free, isOpen, take, named, hasBasket }: Open): void {
  const what = (fact: Facts) =>
    `${named ? `the column's contents are` : `column ${fact.position + 1} holds`} ${fact.numeric ? "numbers" : "texts"}, ${fact.distinct} distinct in the first ${fact.rows} rows`;
  if (!isOpen("user") && !isOpen("item") && named) return;
  if (isOpen("timestamp")) {
    const times = free().filter(({ time, counter }) => time && !counter && (time.kind !== "epoch" || time.plausible));
    if (times.length === 1) take("timestamp", times[0], `its values are times (${describeTime(times[0].time!)})`);
  }
  const isId = (fact: Facts) =>
    !fact.counter &&
    !fact.longText &&
    !(named && fact.distinct < 2) &&
    fact.filled > 0 &&
    (!fact.numeric || fact.whole) &&
    !(fact.time && (fact.time.kind !== "epoch" || fact.time.plausible));
  const needed = (["user", "item"] as const).filter((role) => isOpen(role) && !(role === "user" && hasBasket));
  if (isOpen("weight") && !named) {
    // Without names, a number after the ids is how much: the only fraction, else the last of three columns.
    const numbers = free().filter(({ numeric, counter }) => numeric && !counter);
    const others = free().filter((fact) => !fact.counter);
    const weight =
      numbers.find(({ whole }) => !whole) ??
      (others.length === needed.length + 1 ? numbers.find((fact) => fact === others.at(-1)) : undefined);
    if (weight) take("weight", weight, what(weight));
  }
  const ids = free().filter(isId);
  if (needed.length > 0 && ids.length === needed.length)
    needed.forEach((role, i) => {
      take(role, ids[i], `${what(ids[i])}; it is the ${needed.length === 1 ? "only" : i === 0 ? "first" : "second"} that can be an id`);
    });
}

function requireColumns(samples: readonly ColumnSample[], columns: ColumnNames, choice: ColumnChoice): void {
  const missing = columns.item === undefined ? "item" : columns.user === undefined && columns.basket === undefined ? "user" : undefined;
  if (!missing) return;
  const names = samples.map(({ name }) => name);
  throw new ConfigError(
    choice[missing] === null
      ? `columns.${missing} is null, but there is no reading without ${missing === "user" ? "a user or a basket" : "an item"} column.`
      : `No column could be taken for the ${missing}; the file has ${listed(names)}.`,
    {
      hint: `Name it with ${option(missing)}${missing === "user" ? `, or a basket with ${option("basket")}` : ""}.`,
      details: { path: `columns.${missing}`, allowed: names },
    },
  );
}

/** How to name a role's column: on the command line, and in code or a recipe. */
function option(role: Role): string {
  return `${FLAGS[role]} COLUMN (or columns.${role})`;
}

function listed(names: readonly string[]): string {
  const shown = names
    .slice(0, 30)
    .map((name) => JSON.stringify(name))
    .join(", ");
  const what = names.length === 1 ? "only the column" : `the columns`;
  return names.length > 30 ? `${what} ${shown} and ${names.length - 30} more` : `${what} ${shown}`;
}
