/**
 * What is kept of a job (a command that runs in the background): a folder below <workspaces>/.jobs with job.json (what was asked), status.json
 * (written by the job's keeper), log.txt (its stderr) and result.txt (its stdout).
 */
import { existsSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { z } from "zod";
import { NotFoundError } from "../../core/errors.js";
import { nameHint } from "../../core/nearest-names.js";
import { ioErrors, writeFileAtomically } from "../../store/durable-files.js";

/** The keeper shows every so often that it lives. */
export const SIGN_OF_LIFE_MS = 2000;
/** Without a sign for so long it counts as gone, even if its number is still that of a process (another one, or one that nobody has buried). */
const GONE_MS = 15_000;
/** So long its keeper may take to begin. */
const START_MS = 60_000;

const jobSchema = z.object({
  id: z.string(),
  /** The command's arguments. */
  args: z.array(z.string()),
  cwd: z.string(),
  /** ISO 8601. */
  submittedAt: z.string(),
});

const statusSchema = z.object({
  state: z.enum(["running", "done", "failed", "cancelled"]),
  /** Of the keeper. */
  pid: z.int(),
  /** Of the command; absent until it runs. */
  command: z.int().optional(),
  startedAt: z.string(),
  endedAt: z.string().optional(),
  exitCode: z.int().nullable().optional(),
  signal: z.string().nullable().optional(),
});

export type Job = z.output<typeof jobSchema>;
export type JobStatus = z.output<typeof statusSchema>;

export interface JobReport extends Job, Partial<Omit<JobStatus, "state">> {
  /** `starting`: the keeper has not begun; `lost`: it is gone without having said how the command ended. */
  state: JobStatus["state"] | "starting" | "lost";
  /** Last line of the log: where the work is, or what was wrong. */
  last: string;
  log: string;
  result: string;
}

export function jobsFolder(workspaces: string): string {
  return resolve(workspaces, ".jobs");
}

export const logFile = (folder: string) => join(folder, "log.txt");
export const resultFile = (folder: string) => join(folder, "result.txt");
const jobFile = (folder: string) => join(folder, "job.json");
/** Its time is the keeper's sign of life. */
export const statusFile = (folder: string) => join(folder, "status.json");

export async function writeJob(folder: string, job: Job): Promise<void> {
  await writeFileAtomically(jobFile(folder), `${JSON.stringify(job, undefined, 2)}\n`);
}

export async function writeStatus(folder: string, status: JobStatus): Promise<void> {
  await writeFileAtomically(statusFile(folder), `${JSON.stringify(status, undefined, 2)}\n`);
}

export async function readJob(folder: string): Promise<Job | undefined> {
  return parsed(jobSchema, jobFile(folder));
}

/** All jobs, oldest first. */
export async function listJobs(workspaces: string): Promise<JobReport[]> {
  const root = jobsFolder(workspaces);
  if (!existsSync(root)) return [];
  const ids = (await ioErrors("read", root, () => readdir(root))).filter((name) => !name.startsWith(".")).sort();
  const all = await Promise.all(ids.map((id) => reportOf(join(root, id))));
  return all.filter((report) => report !== undefined);
}

/** Throws NotFoundError for an unknown job. */
export async function jobReport(workspaces: string, id: string): Promise<JobReport> {
  const known = await listJobs(workspaces);
  const found = known.find((job) => job.id === id);
  if (found) return found;
  const ids = known.map((job) => job.id);
  throw new NotFoundError(`There is no job ${JSON.stringify(id)} in ${jobsFolder(workspaces)}.`, {
    hint: nameHint(id, ids),
    details: { got: id, allowed: ids },
  });
}

async function reportOf(folder: string): Promise<JobReport | undefined> {
  const job = await readJob(folder);
  if (!job) return undefined;
  const status = await parsed(statusSchema, statusFile(folder));
  const [log, result] = [logFile(folder), resultFile(folder)];
  const common = { ...job, last: lastLine(existsSync(log) ? await readFile(log, "utf8") : ""), log, result };
  if (!status) return { ...common, state: Date.now() - Date.parse(job.submittedAt) > START_MS ? "lost" : "starting" };
  if (status.state !== "running") return { ...common, ...status };
  const sign = (await stat(statusFile(folder))).mtimeMs;
  return { ...common, ...status, state: isRunning(status.pid) && Date.now() - sign < GONE_MS ? "running" : "lost" };
}

async function parsed<T>(schema: z.ZodType<T>, file: string): Promise<T | undefined> {
  if (!existsSync(file)) return undefined;
  try {
    return schema.safeParse(JSON.parse(await readFile(file, "utf8"))).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function lastLine(log: string): string {
  return log.trimEnd().split("\n").at(-1) ?? "";
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
