/**
 * The keeper of a job: runs the command with its output in files, passes SIGTERM on, shows that it lives, and writes down how it ended. A process of
 * its own (`tastemaker jobs keep FOLDER`), started by `submitJob`.
 */
import { spawn } from "node:child_process";
import { open, utimes } from "node:fs/promises";
import { errorTable, NotFoundError } from "../../core/errors.js";
import { type JobStatus, logFile, readJob, resultFile, SIGN_OF_LIFE_MS, statusFile, writeStatus } from "./job-files.js";

/** Returns when the command has ended. Throws NotFoundError where the folder holds no job. */
export async function keepJob(folder: string, program: readonly string[]): Promise<JobStatus> {
  const job = await readJob(folder);
  if (!job) throw new NotFoundError(`${folder} holds no job.`, { hint: "Jobs are started by `tastemaker jobs submit`." });
  let status: JobStatus = { state: "running", pid: process.pid, startedAt: new Date().toISOString() };
  let cancelled = false;
  let pass = (): void => undefined;
  const cancel = (): void => {
    cancelled = true;
    pass();
  };
  process.removeAllListeners("SIGTERM").on("SIGTERM", cancel);
  await writeStatus(folder, status);
  const [log, result] = [await open(logFile(folder), "a"), await open(resultFile(folder), "a")];
  const [node, ...script] = program;
  const child = spawn(node, [...script, ...job.args], { cwd: job.cwd, stdio: ["ignore", result.fd, log.fd], windowsHide: true });
  pass = () => void child.kill("SIGTERM");
  const ended = new Promise<Pick<JobStatus, "exitCode" | "signal">>((settle) => {
    child.once("exit", (exitCode, signal) => settle({ exitCode, signal }));
    child.once("error", () => settle({ exitCode: null, signal: null }));
  });
  status = { ...status, command: child.pid };
  await writeStatus(folder, status);
  if (cancelled) pass();
  const alive = setInterval(() => void utimes(statusFile(folder), new Date(), new Date()).catch(() => undefined), SIGN_OF_LIFE_MS);
  const end = await ended;
  clearInterval(alive);
  await Promise.all([log.close(), result.close()]);
  const stopped = cancelled && (end.exitCode === errorTable.E_CANCELLED.exit || end.signal !== null);
  status = { ...status, ...end, state: end.exitCode === 0 ? "done" : stopped ? "cancelled" : "failed", endedAt: new Date().toISOString() };
  await writeStatus(folder, status);
  return status;
}
