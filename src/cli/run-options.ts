/**
 * The options of the commands that read a recipe or a data file, and the recipe that they give.
 */
import { existsSync } from "node:fs";
import { extname } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { ConfigError } from "../core/errors.js";
import type { FileFormat } from "../data/readers/read-dataset.js";
import { openDevice } from "../nn/device.js";
import { fastRecipe } from "../service/fast.js";
import { type Recipe, readRecipe, recipeForFile, resolveSourceFile, shippedRecipe } from "../service/recipe/recipe.js";
import type { RunOptions } from "../service/run-result.js";
import { DEFAULT_WORKSPACE, latestRun } from "../service/workspace.js";
import type { CliContext } from "./context.js";
import { stepNotes } from "./step-notes.js";

export interface SourceOptions {
  user?: string;
  item?: string;
  time?: string;
  weight?: string;
  basket?: string;
  format?: FileFormat;
  delimiter?: string;
  timeFormat?: string;
  sheet?: string;
  keepUnknownUsers?: boolean;
  rejects?: string;
  data?: string;
  workspace: string;
  threads?: number;
  device?: string;
  allowLeaks?: boolean;
  fast?: boolean;
  scenario?: string;
  checkpointSeconds?: number;
  tensorboard?: string;
  host?: string;
  port?: number;
}

/** Adds the options about the columns and the format of a data file. */
export function withColumnOptions(command: Command): Command {
  return command
    .option("--user <column>", "column of the user; for this and the next ones, none = there is no such column")
    .option("--item <column>", "column of the item")
    .option("--time <column>", "column of the time")
    .option("--weight <column>", "column of the weight or quantity")
    .option("--basket <column>", "column of the order, invoice or session")
    .option("--time-format <format>", "dmy, mdy, or a pattern such as %d.%m.%Y %H:%M")
    .option("--sheet <name>", "sheet of an xlsx file; default: the first")
    .addOption(
      command
        .createOption("--format <format>", "what the file is, when its name does not say")
        .choices(["csv", "parquet", "jsonl", "python", "xlsx"]),
    )
    .option("--delimiter <character>", "what separates the columns of a csv file (\\t for a tab)");
}

/** Adds the options about data and where results go. */
export function withSourceOptions(command: Command): Command {
  return withColumnOptions(command)
    .option("--keep-unknown-users", "keep rows without a user: their items count for popularity")
    .option("--rejects <file>", "write rejected rows, each with its reason, to this file")
    .option("--data <folder>", "folder in which a recipe's files are looked for first", process.env.TASTEMAKER_DATA)
    .option("--allow-leaks", "judge although the leak check finds what the models must not know")
    .option("--threads <number>", "worker threads; default: the cores of the machine", wholeNumber(1))
    .option("--tensorboard <folder>", "write training curves as TensorBoard event files, a folder per model and part")
    .addOption(deviceOption(command))
    .addOption(workspaceOption(command));
}

/** Adds `--checkpoint-seconds`, of the commands that go on with an interrupted training. */
export function withCheckpointOption(command: Command): Command {
  return command.option(
    "--checkpoint-seconds <number>",
    "keep the state of a fit in progress every so often; 0 = after each step; default: 30",
    (text) => (text === "0" ? 0 : positiveNumber(text)),
  );
}

/** Adds `--fast`, of the commands that read a recipe. */
export function withFastOption(command: Command, conflicts: readonly string[] = []): Command {
  return command.addOption(
    command
      .createOption("--fast", "every step within about a minute, on a sample of users and with fits cut short: figures mean nothing")
      .conflicts([...conflicts]),
  );
}

/** `--scenario`, of the commands that can do with one of a recipe's. */
export function scenarioOption(command: Command, usual: string) {
  return command.createOption("--scenario <name>", `only this scenario of the recipe; default: ${usual}`);
}

/** `--workspace`, where results and models are. */
export function workspaceOption(command: Command) {
  return command
    .createOption("--workspace <folder>", "folder of results and models")
    .env("TASTEMAKER_WORKSPACE")
    .default(DEFAULT_WORKSPACE);
}

/** Adds the options that say which run answers: one of this machine, or one that lies elsewhere. */
export function withRunChoice(command: Command): Command {
  return command
    .option("--recipe <name>", "whose latest run; default: the latest of all")
    .addOption(
      command
        .createOption("--models <place>", "a run elsewhere: s3://bucket/prefix (`tastemaker push`), or a copied folder of a workspace")
        .env("TASTEMAKER_MODELS"),
    )
    .addOption(workspaceOption(command));
}

export interface RunChoice {
  recipe?: string;
  models?: string;
  workspace: string;
}

/** The run that these options choose; from S3 it is copied to this machine first. */
export async function chosenRun({ recipe, models, workspace }: RunChoice, context: CliContext) {
  if (models === undefined) return latestRun(workspace, recipe);
  if (recipe !== undefined)
    throw new ConfigError("--recipe and --models exclude each other.", { hint: "The address of --models says which recipe's run it is." });
  const { publishedRun } = await import("../service/published-run.js");
  const run = await publishedRun(models, { signal: context.signal, onProgress: context.onProgress });
  context.quiet();
  return run;
}

/** `--device`, where networks are trained. */
export function deviceOption(command: Command) {
  return command.createOption("--device <name>", "where neural networks are trained: cpu, cuda, webgpu …; default: cpu");
}

/** Throws before anything is read when the device that was asked for does not work here. */
export async function checkDevice(device: string | undefined): Promise<void> {
  if (device !== undefined) await openDevice(device);
}

/** Adds `--host` and `--port`; they stand above PORT and HOST, and these above the recipe. */
export function withServeOptions(command: Command): Command {
  return command
    .option("--host <address>", "address to serve on; default: $HOST, the recipe's, or 127.0.0.1")
    .option("--port <number>", "port to serve on, 0 = any free one; default: $PORT, the recipe's, or 8080", wholeNumber(0));
}

/** Parses a whole number from `least` on. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    if (/^\d+$/.test(text) && Number(text) >= least) return Number(text);
    throw new InvalidArgumentError(`Give a whole number, ${least} or more.`);
  };
}

/** Parses a number above 0. */
export function positiveNumber(text: string): number {
  if (Number(text) > 0 && Number.isFinite(Number(text))) return Number(text);
  throw new InvalidArgumentError("Give a number above 0.");
}

/** The recipe file that `target` names; undefined when it is a data file or the name of a recipe that ships with the package. */
export function recipeFile(target: string): string | undefined {
  return /^\.ya?ml$/i.test(extname(target)) ? target : undefined;
}

/** A recipe file, the name of one that ships with the package, or a data file with the recipe made for it; with `fast`, cut short. */
export async function recipeOf(target: string, options: SourceOptions): Promise<Recipe> {
  const recipe = await wholeRecipe(target, options);
  return options.fast ? fastRecipe(recipe) : recipe;
}

async function wholeRecipe(target: string, options: SourceOptions): Promise<Recipe> {
  const overrides = {
    ...sourceOverrides(options),
    keepUnknownUsers: options.keepUnknownUsers,
    ...chosenAddress(options),
  };
  if (recipeFile(target) !== undefined) return readRecipe(target, overrides);
  if (!existsSync(target) && existsSync(shippedRecipe(target))) return readRecipe(shippedRecipe(target), overrides);
  return recipeForFile(resolveSourceFile(target, { recipeFolder: process.cwd(), dataFolder: options.data }), overrides);
}

/** What the flags say of the columns and the format of a file. */
export function sourceOverrides(
  options: Pick<SourceOptions, "user" | "item" | "time" | "weight" | "basket" | "format" | "delimiter" | "timeFormat" | "sheet">,
) {
  return {
    format: options.format,
    delimiter: options.delimiter?.replace("\\t", "\t"),
    timeFormat: options.timeFormat,
    sheet: options.sheet,
    columns: {
      user: columnOf(options.user),
      item: options.item,
      timestamp: columnOf(options.time),
      weight: columnOf(options.weight),
      basket: columnOf(options.basket),
    },
  };
}

function columnOf(flag: string | undefined): string | null | undefined {
  return flag === "none" ? null : flag;
}

/** What flags, then PORT and HOST say about the address. */
function chosenAddress({ host, port }: Pick<SourceOptions, "host" | "port">): { host?: string; port?: number } {
  const { HOST, PORT } = process.env;
  if (port === undefined && PORT && !(/^\d+$/.test(PORT) && Number(PORT) <= 65_535)) {
    throw new ConfigError(`PORT is ${JSON.stringify(PORT)}.`, {
      hint: "Set it to a whole number from 0 to 65535.",
      details: { path: "PORT", got: PORT },
    });
  }
  return { host: host ?? (HOST || undefined), port: port ?? (PORT ? Number(PORT) : undefined) };
}

/** The address to serve on when there is no recipe. */
export function addressOf(options: Pick<SourceOptions, "host" | "port">): { host: string; port: number } {
  const { host = "127.0.0.1", port = 8080 } = chosenAddress(options);
  return { host, port };
}

/** Options for the services: progress and notes go to the person. Throws for a device that does not work here. */
export async function runOptions(context: CliContext, options: SourceOptions): Promise<RunOptions> {
  await checkDevice(options.device);
  return {
    workspace: options.workspace,
    dataFolder: options.data,
    rejectsFile: options.rejects,
    threads: options.threads,
    device: options.device,
    allowLeaks: options.allowLeaks,
    checkpointSeconds: options.checkpointSeconds,
    tensorboard: options.tensorboard,
    signal: context.signal,
    onProgress: context.onProgress,
    onStep: (step) => stepNotes(step, { rejectsFile: options.rejects }).forEach(context.note),
  };
}
