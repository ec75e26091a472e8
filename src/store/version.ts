/** The version of this package, as recorded in manifests and printed by the command line. */
import { readFileSync } from "node:fs";

export const tastemakerVersion: string = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")).version;
