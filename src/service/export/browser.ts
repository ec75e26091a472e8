/**
 * Export for the browser: a folder with a page that recommends without a server. The page, the library as one script (both ready in
 * dist/bundle) and the model's files as scripts, which a page opened from disk may load. Nothing is built here.
 */
import { existsSync } from "node:fs";
import { copyFile, mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ConfigError, IoError, throwIfCancelled } from "../../core/errors.js";
import { readInto, writeDurably, writeFolderAtomically } from "../../store/durable-files.js";
import { MANIFEST } from "../../store/manifest-schema.js";
import { ONNX } from "../../store/model-folder.js";
import { SCRIPT_BYTES, scriptName, scriptOf } from "../../store/script-files.js";
import { type ExportFormat, onlyEmpty } from "./format.js";

/** dist/bundle of this package, from src/service/export as from dist/service/export. */
const ready = fileURLToPath(new URL("../../../dist/bundle", import.meta.url));
const files = ["index.html", "page.js", "tastemaker.js"];

export const browser: ExportFormat = {
  help: "a folder with a page that recommends without a server: open its index.html",
  async write({ model, manifest, folder }, path, { signal }) {
    if (model.runtime)
      throw new ConfigError(`The model ${model.name} has a network, which this page cannot run.`, {
        hint: "Export it with --format onnx and run it by onnxruntime-web, or export a model without a network (--model).",
      });
    if (!existsSync(join(ready, "tastemaker.js")))
      throw new IoError(`The library for the browser is not built: ${ready} is missing.`, {
        hint: "In the repository run `npm run build`.",
      });
    const fill = async (temporary: string) => {
      for (const file of files) await copyFile(join(ready, file), join(temporary, file));
      for (const file of [MANIFEST, ...Object.keys(manifest.files).filter((file) => file !== ONNX)])
        await writeScripts(join(folder, file), join(temporary, "model", file), signal);
    };
    await writeFolderAtomically(path, fill, { mayReplace: onlyEmpty });
  },
};

/** Writes a file as scripts, one part in memory at a time. */
async function writeScripts(source: string, target: string, signal: AbortSignal | undefined): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  const handle = await open(source, "r");
  try {
    const { size } = await handle.stat();
    const parts = Math.max(1, Math.ceil(size / SCRIPT_BYTES));
    for (let part = 0; part < parts; part++) {
      throwIfCancelled(signal);
      const bytes = Buffer.alloc(Math.min(SCRIPT_BYTES, size - part * SCRIPT_BYTES));
      await readInto(handle, bytes, { position: part * SCRIPT_BYTES });
      await writeDurably(scriptName(target, part), [Buffer.from(scriptOf(bytes.toString("base64"), parts))]);
    }
  } finally {
    await handle.close();
  }
}
