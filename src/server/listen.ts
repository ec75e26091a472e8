/**
 * Opens the port, and turns what the operating system refuses into an IoError that names the variable to change.
 */
import type { FastifyInstance } from "fastify";
import { ConfigError, IoError } from "../core/errors.js";

export interface Address {
  host: string;
  /** 0 = any free port. */
  port: number;
}

/** Listens and returns the address to open. Throws ConfigError for a port out of range, IoError when it cannot be had. */
export async function listen(app: FastifyInstance, { host, port }: Address): Promise<{ url: string }> {
  if (!(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
    throw new ConfigError(`The port is ${port}.`, {
      hint: "Set PORT to a whole number from 0 to 65535.",
      details: { path: "PORT", got: port },
    });
  }
  try {
    await app.listen({ host, port });
  } catch (error) {
    throw explain(error, { host, port });
  }
  const address = app.server.address();
  const actual = typeof address === "object" && address !== null ? address.port : port;
  const reachable = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  return { url: `http://${reachable.includes(":") ? `[${reachable}]` : reachable}:${actual}` };
}

/** The error for what the operating system answered. */
export function explain(cause: unknown, { host, port }: Address): unknown {
  const details = { host, port };
  switch ((cause as NodeJS.ErrnoException).code) {
    case "EADDRINUSE":
      return new IoError(`Port ${port} on ${host} is already in use.`, {
        hint: `Stop the other program, or choose another port: PORT=${port < 65_535 ? port + 1 : 8080}.`,
        cause,
        details,
      });
    case "EACCES":
      return new IoError(`Port ${port} on ${host} may not be opened by this user.`, {
        hint: "Ports below 1024 need rights; choose another, such as PORT=8080.",
        cause,
        details,
      });
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new IoError(`${host} is no address of this machine.`, {
        hint: "Set HOST=127.0.0.1 for this machine only, or HOST=0.0.0.0 for all its addresses.",
        cause,
        details,
      });
    default:
      return cause;
  }
}
