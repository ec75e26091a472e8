/**
 * Jobs: commands of tastemaker that run in the background and outlive the terminal. `submitJob` starts a keeper, a process of its own that runs
 * the command and writes down how it ends (keep-job.ts). Called by the command line.
 */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { ConfigError, IoError } from "../../core/errors.js";
import { nameHint } from "../../core/nearest-names.js";
import { ioErrors } from "../../store/durable-files.js";
import { type JobReport, jobReport, jobsFolder, logFile, writeJob } from "./job-files.js";

/** Verbs that end by themselves. */
export const jobVerbs = ["train", "tune", "auto", "run", "evaluate", "replicate", "songs"];

export interface SubmitOptions {
  /** Folder of the workspaces. */
  workspaces: string;
  /** The program that is run: [Node, main.js]. */
  program: readonly string[];
  /** Default: the current folder. */
  cwd?: string;
}

/** Starts `tastemaker ARGS` in the background. Throws ConfigError for a verb that is no job, IoError where it cannot be started. */
export async function submitJob(args: readonly string[], { workspaces, program, cwd = process.cwd() }: SubmitOptions): Promise<JobReport> {
  if (!jobVerbs.includes(args[0]))
    throw new ConfigError(`${JSON.stringify(args[0])} cannot run as a job.`, {
      hint: nameHint(args[0], jobVerbs),
      details: { allowed: jobVerbs },
    });
  if (args.includes("--serve")) throw new ConfigError("A server is no job: it never ends.", { hint: "Leave --serve out." });
  const submittedAt = new Date().toISOString();
  const id = `${submittedAt.slice(0, 19).replace(/[-:]/g, "").replace("T", "-")}-${randomBytes(2).toString("hex")}`;
  const folder = join(jobsFolder(workspaces), id);
  await ioErrors("write", folder, () => mkdir(folder, { recursive: true }));
  await writeJob(folder, { id, args: [...args], cwd, submittedAt });
  const log = await open(logFile(folder), "a");
  try {
    const [node, ...script] = program;
    const keeper = spawn(node, [...script, "jobs", "keep", folder], {
      cwd,
      detached: true,
      stdio: ["ignore", "ignore", log.fd],
      windowsHide: true,
    });
    const failure = await new Promise<Error | undefined>((settle) => keeper.once("error", settle).once("spawn", () => settle(undefined)));
    if (failure)
      throw new IoError(`The job could not be started: ${failure.message}.`, { hint: "Look at the number of processes.", cause: failure });
    keeper.unref();
  } finally {
    await log.close();
  }
  return jobReport(workspaces, id);
}

/** How long the end of a cancelled job is waited for. */
const CANCEL_MS = 60_000;

/**
 * Asks a job to end where nothing is broken (as Ctrl-C does) and waits for it, at most a minute; with `force` ends it at once. A job that has ended
 * stays as it is. Throws NotFoundError for an unknown job.
 */
export async function cancelJob(workspaces: string, id: string, { force = false } = {}): Promise<JobReport> {
  let job = await jobReport(workspaces, id);
  for (const start = Date.now(); job.state === "starting" && Date.now() - start < CANCEL_MS; job = await jobReport(workspaces, id))
    await wait(100);
  if (job.state !== "running") return job;
  if (force && job.command !== undefined) kill(job.command, "SIGKILL");
  else kill(job.pid!, "SIGTERM");
  for (const start = Date.now(); job.state === "running" && Date.now() - start < CANCEL_MS; job = await jobReport(workspaces, id))
    await wait(100);
  return job;
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw new IoError(`Process ${pid} cannot be ended.`, { cause: error });
  }
}
