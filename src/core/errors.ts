/**
 * Every error a person can meet, with a stable code, a sentence, a hint and a cause.
 * `errorTable` is the one place that maps a code to its HTTP status and its exit code;
 * server and cli read it, lower layers only throw.
 */

/** Code → HTTP status and process exit code (sysexits where one fits). Exhaustive over `ErrorCode`. */
export const errorTable = {
  E_DATA: { status: 422, exit: 65, title: "The data cannot be used" },
  E_CONFIG: { status: 400, exit: 64, title: "A setting or argument is wrong" },
  E_NOT_FOUND: { status: 404, exit: 66, title: "Not found" },
  E_TRAINING: { status: 500, exit: 70, title: "Training failed" },
  E_MODEL_FORMAT: { status: 500, exit: 76, title: "The saved model cannot be read" },
  E_KERNEL: { status: 500, exit: 71, title: "A numeric kernel failed" },
  E_IO: { status: 500, exit: 74, title: "Reading or writing failed" },
  E_UNAVAILABLE: { status: 503, exit: 69, title: "Not available" },
  E_TOO_LARGE: { status: 413, exit: 65, title: "Too large" },
  E_INTERNAL: { status: 500, exit: 70, title: "A fault inside Tastemaker" },
  E_CANCELLED: { status: 499, exit: 130, title: "Cancelled" },
} as const;

export type ErrorCode = keyof typeof errorTable;

export interface ErrorOptions {
  /** What to do about it, one sentence. */
  hint?: string;
  cause?: unknown;
  /** Facts for machines: file, line, column, path, got, allowed … */
  details?: Readonly<Record<string, unknown>>;
}

/** Base of all errors thrown on purpose. `message` says what and where, `hint` how to mend it. */
export class TastemakerError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.hint = options.hint;
    this.details = options.details ?? {};
  }
}

/** Input data that cannot be used. Details: `file`, `line`, `column` where known. */
export class DataError extends TastemakerError {
  constructor(message: string, options?: ErrorOptions) {
    super("E_DATA", message, options);
  }
}

/** A wrong setting, parameter or argument. Details: `path`, `got`, `allowed` where known. */
export class ConfigError extends TastemakerError {
  constructor(message: string, options?: ErrorOptions) {
    super("E_CONFIG", message, options);
  }
}

/** A named thing (model, user, item, study, file) that does not exist. */
export class NotFoundError extends TastemakerError {
  constructor(message: string, options?: ErrorOptions) {
    super("E_NOT_FOUND", message, options);
  }
}

/** Training could not go on. Details: `iteration`, `row` where known. */
export class TrainingError extends TastemakerError {
  constructor(message: string, options?: ErrorOptions) {
    super("E_TRAINING", message, options);
  }
}

/** A saved model that is damaged, incomplete or of a newer format. Details: `got`, `expected`. */
export class ModelFormatError extends TastemakerError {
  constructor(message: string, options?: ErrorOptions) {
    super("E_MODEL_FORMAT", message, options);
  }
}

/** A kernel could not be loaded or its memory could not be had. Details: `bytes` where known. */
export class KernelError extends TastemakerError {
  constructor(message: string, options?: ErrorOptions) {
    super("E_KERNEL", message, options);
  }
}

/** The file system or network refused: read-only folder, full disk, port in use. */
export class IoError extends TastemakerError {
  constructor(message: string, options?: ErrorOptions) {
    super("E_IO", message, options);
  }
}

/** The work was stopped on request (AbortSignal, Ctrl-C). */
export class CancelledError extends TastemakerError {
  constructor(message = "The work was cancelled.", options?: ErrorOptions) {
    super("E_CANCELLED", message, options);
  }
}

/** Throws `CancelledError` when the signal is aborted; call it between steps of long work. */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new CancelledError("The work was cancelled.", { cause: signal.reason });
}
