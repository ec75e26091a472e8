/**
 * Files as scripts: a page that was opened from disk may load scripts, but not fetch files. Each script hands over a part of one file,
 * base64, to a global function. Node-free; `service/export/browser.ts` writes them, `fetchScripts` reads them in the page.
 */
import { IoError } from "../core/errors.js";

/** Bytes of a file in one script: a multiple of 3, so that base64 has no padding between, and far below the longest string. */
export const SCRIPT_BYTES = 24 * 2 ** 20;

const RECEIVER = "__tastemakerPart";

/** Name of the script that holds a part of a file. */
export function scriptName(file: string, part: number): string {
  return `${file}.${part}.js`;
}

/** The script of one part; `parts` of them make the file. */
export function scriptOf(base64: string, parts: number): string {
  return `${RECEIVER}(${parts}, "${base64}");\n`;
}

/**
 * To be given as `fetch` to `loadModel` and `loadItemProperties` for a model that `tastemaker export --format browser` wrote:
 * works in pages opened from disk and from any server. Only addresses count, other options are passed over.
 */
export const fetchScripts: typeof fetch = async (address) => {
  const url = address instanceof Request ? address.url : String(address);
  const first = await loadPart(scriptName(url, 0));
  if (!first) return new Response(null, { status: 404 });
  const bytes = [decode(first.base64)];
  for (let part = 1; part < first.parts; part++) {
    const next = await loadPart(scriptName(url, part));
    if (!next) throw new IoError(`${scriptName(url, part)} is missing.`, { hint: "Copy the exported folder as a whole." });
    bytes.push(decode(next.base64));
  }
  return new Response(new Blob(bytes));
};

interface Part {
  parts: number;
  base64: string;
}

let last: Promise<unknown> = Promise.resolve();

/** Runs a script; undefined where there is none. One at a time: a script does not say which one it is. */
function loadPart(url: string): Promise<Part | undefined> {
  const loaded = last.then(() => runScript(url));
  last = loaded.catch(() => undefined);
  return loaded;
}

function runScript(url: string): Promise<Part | undefined> {
  if (!globalThis.document)
    throw new IoError("Models in scripts can only be loaded by a page.", { hint: "In a worker or in Node load a saved model's folder." });
  return new Promise((resolve) => {
    let received: Part | undefined;
    Object.assign(globalThis, {
      [RECEIVER]: (parts: number, base64: string) => {
        received = { parts, base64 };
      },
    });
    const script = document.createElement("script");
    script.src = url;
    script.onload = script.onerror = () => {
      script.remove();
      resolve(received);
    };
    document.head.append(script);
  });
}

function decode(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}
