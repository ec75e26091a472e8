/**
 * The use case "init": reads a person's file as a run would, and writes a recipe for it with the guesses made plain. What it writes is
 * checked like any recipe before it is kept.
 */
import { existsSync } from "node:fs";
import { basename, dirname, isAbsolute, relative, resolve, sep } from "node:path";
import { ConfigError, NotFoundError } from "../../core/errors.js";
import { type ColumnChoice, type FileFormat, type ReadReport, readDataset } from "../../data/readers/read-dataset.js";
import { writeFileAtomically } from "../../store/durable-files.js";
import { parseRecipe, recipeNameOf } from "../recipe/recipe.js";
import type { RunOptions } from "../run-result.js";
import { type FileFacts, fileFacts } from "./data-facts.js";
import { recipeText } from "./recipe-text.js";

export interface InitOptions extends Pick<RunOptions, "threads" | "signal" | "onProgress"> {
  /** Where the recipe goes. Default: NAME.yaml in the current folder. */
  target?: string;
  /** A file below it is named as it lies there, so that --data finds it. */
  dataFolder?: string;
  /** Replace a file that is there. Default false. */
  force?: boolean;
  columns?: ColumnChoice;
  format?: FileFormat;
  delimiter?: string;
  timeFormat?: string;
  sheet?: string;
}

export interface InitResult {
  /** Absolute path of the recipe. */
  recipe: string;
  name: string;
  /** Labels of the models that it names. */
  models: string[];
  facts: FileFacts;
  report: ReadReport;
  text: string;
}

/** Throws what reading throws; ConfigError when the target is there already or is no .yaml, NotFoundError when its folder is not there. */
export async function initRecipe(file: string, options: InitOptions = {}): Promise<InitResult> {
  const name = recipeNameOf(file);
  const { force = false, dataFolder, columns, format, delimiter, timeFormat, sheet, threads, signal, onProgress } = options;
  const target = resolve(options.target ?? `${name}.yaml`);
  checkTarget(target, force);
  const dataset = await readDataset(file, { columns, format, delimiter, timeFormat, sheet, threads, signal, onProgress });
  const { report, itemProperties } = dataset;
  const facts = fileFacts(dataset);
  const properties = Object.fromEntries(
    report.guessed.flatMap(({ role, column }) => {
      const property = role.replace(/^property /, "");
      return role !== property && property in itemProperties ? [[property, column]] : [];
    }),
  );
  const told = { format, delimiter, timeFormat, sheet };
  const text = recipeText({
    name,
    title: basename(file),
    file: pathFrom(dirname(target), file, dataFolder),
    ...told,
    report,
    properties,
    facts,
  });
  const { models } = parseRecipe(text, { file: target });
  await writeFileAtomically(target, text);
  return { recipe: target, name, models: models.map(({ label }) => label), facts, report, text };
}

function checkTarget(target: string, force: boolean): void {
  if (!/\.ya?ml$/i.test(target))
    throw new ConfigError(`${target} is no name of a recipe.`, { hint: "Let it end in .yaml.", details: { got: target } });
  if (!existsSync(dirname(target)))
    throw new NotFoundError(`There is no folder ${dirname(target)} for the recipe.`, { hint: "Make the folder, or name another file." });
  if (!force && existsSync(target))
    throw new ConfigError(`${target} is there already.`, {
      hint: "Name another file, or replace it with --force.",
      details: { got: target },
    });
}

/** The file as the recipe names it: from the data folder or the recipe's, where it lies in or near one of them. */
function pathFrom(folder: string, file: string, dataFolder: string | undefined): string {
  const paths = [dataFolder, folder].flatMap((from) => (from === undefined ? [] : [relative(resolve(from), resolve(file))]));
  const ups = (path: string) => path.split(sep).filter((part) => part === "..").length;
  const near = paths.find((path) => !isAbsolute(path) && ups(path) <= (path === paths.at(-1) ? 2 : 0));
  return (near ?? resolve(file)).split(sep).join("/");
}
