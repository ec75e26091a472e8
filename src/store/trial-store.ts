/**
 * Trials in one SQLite file (libsql, WAL): a finished trial is on disk before it is acknowledged, other processes may read
 * meanwhile. `user_version` holds the version of the tables; a newer one is refused.
 */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { Database } from "libsql";
import { IoError, ModelFormatError, TastemakerError } from "../core/errors.js";
import type { Study, Trial, TrialStore } from "../core/trials.js";
import { noStudy, numberTaken } from "../tuning/memory-trial-store.js";

const VERSION = 1;

const tables = `
  CREATE TABLE studies (id TEXT PRIMARY KEY, settings TEXT NOT NULL, created_at TEXT NOT NULL) STRICT;
  CREATE TABLE trials (
    study TEXT NOT NULL REFERENCES studies (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('complete', 'pruned', 'failed')),
    value REAL,
    seconds REAL NOT NULL,
    params TEXT NOT NULL,
    reports TEXT NOT NULL,
    error TEXT,
    PRIMARY KEY (study, number)
  ) STRICT, WITHOUT ROWID;
  PRAGMA user_version = ${VERSION};`;

interface StudyRow {
  id: string;
  settings: string;
  created_at: string;
}

interface TrialRow {
  number: number;
  state: Trial["state"];
  value: number | null;
  seconds: number;
  params: string;
  reports: string;
  error: string | null;
}

/**
 * Opens or creates the file. Throws IoError (cannot be opened or written, is no database), ModelFormatError (written by a
 * newer version).
 */
export async function openTrialStore(file: string): Promise<TrialStore> {
  const { default: SQLite } = await import("libsql");
  const work = <T>(verb: string, run: () => T): T => {
    try {
      return run();
    } catch (cause) {
      const code = (cause as { code?: unknown }).code;
      if (cause instanceof TastemakerError || typeof code !== "string") throw cause;
      throw new IoError(`Could not ${verb} the trials in ${file}: ${(cause as Error).message}.`, {
        hint:
          code === "SQLITE_NOTADB"
            ? "The file is damaged or something else: move it away."
            : "Check the folder, its permissions and the disk.",
        cause,
        details: { file, got: code },
      });
    }
  };
  const database = work("open", () => {
    mkdirSync(dirname(file), { recursive: true });
    return new SQLite(file, { timeout: 10_000 });
  });
  try {
    work("open", () => prepareTables(database, file));
  } catch (error) {
    database.close();
    throw error;
  }
  const toStudy = ({ id, settings, created_at }: StudyRow): Study => ({ id, settings: JSON.parse(settings), createdAt: created_at });
  const readStudy = (id: string) => database.prepare("SELECT * FROM studies WHERE id = ?").get(id) as StudyRow | undefined;

  return {
    async putStudy({ id, settings, createdAt }) {
      const statement = "INSERT OR IGNORE INTO studies (id, settings, created_at) VALUES (?, ?, ?)";
      work("write", () => database.prepare(statement).run(id, JSON.stringify(settings), createdAt));
    },
    async readStudy(id) {
      const row = work("read", () => readStudy(id));
      return row && toStudy(row);
    },
    async listStudies() {
      return work("read", () => database.prepare("SELECT * FROM studies ORDER BY created_at, id").all() as StudyRow[]).map(toStudy);
    },
    async deleteStudy(id) {
      work("write", () => {
        const both = database.transaction(() => {
          database.prepare("DELETE FROM trials WHERE study = ?").run(id);
          database.prepare("DELETE FROM studies WHERE id = ?").run(id);
        });
        both();
      });
    },
    async addTrial(study, { number, params, state, value, reports, seconds, error }) {
      if (!work("read", () => readStudy(study))) throw noStudy(study);
      const statement = `INSERT INTO trials (study, number, state, value, seconds, params, reports, error)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`;
      const values = [study, number, state, value ?? null, seconds, JSON.stringify(params), JSON.stringify(reports), error ?? null];
      const { changes } = work("write", () => database.prepare(statement).run(...values));
      if (changes === 0) throw numberTaken(number);
    },
    async listTrials(study) {
      const rows = work("read", () => database.prepare("SELECT * FROM trials WHERE study = ? ORDER BY number").all(study) as TrialRow[]);
      return rows.map(({ number, state, value, seconds, params, reports, error }) => ({
        number,
        params: JSON.parse(params),
        state,
        ...(value === null ? {} : { value }),
        reports: JSON.parse(reports),
        seconds,
        ...(error === null ? {} : { error }),
      }));
    },
    async close() {
      if (!database.open) return;
      try {
        // so that the one file holds everything; while another process uses it, its log stays, and nothing is lost
        database.exec("PRAGMA busy_timeout = 200");
        database.prepare("PRAGMA wal_checkpoint(TRUNCATE)").all();
      } catch {
        // a full disk: the log keeps the trials
      }
      database.close();
    },
  };
}

/** Creates the tables of a new file, in one transaction, so that two processes may start at once. */
function prepareTables(database: Database, file: string): void {
  const version = () => (database.prepare("PRAGMA user_version").get() as { user_version: number }).user_version;
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;");
  if (version() === 0) {
    database.exec("BEGIN IMMEDIATE");
    try {
      if (version() === 0) database.exec(tables);
      database.exec("COMMIT");
    } catch (error) {
      database.exec("ROLLBACK");
      throw error;
    }
  }
  if (version() !== VERSION)
    throw new ModelFormatError(`The trials in ${file} have format ${version()}, this version of tastemaker knows ${VERSION}.`, {
      hint: "Use the version that wrote them, or move the file away.",
      details: { got: version(), expected: VERSION },
    });
}
