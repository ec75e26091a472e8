/** Export as a model folder: what `saveModel` writes, for `loadModel` of `tastemaker` and `tastemaker/browser`. */
import { copyFile, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { throwIfCancelled } from "../../core/errors.js";
import { writeFolderAtomically } from "../../store/durable-files.js";
import { CHECKSUMS } from "../../store/manifest.js";
import { MANIFEST } from "../../store/manifest-schema.js";
import { verifyModel } from "../../store/model-folder.js";
import { type ExportFormat, onlyEmpty } from "./format.js";

export const model: ExportFormat = {
  help: "the model's folder as it was saved, for loadModel of this library in Node and in pages",
  async write({ manifest, folder }, path, { signal }) {
    await verifyModel(folder, signal);
    const fill = async (temporary: string) => {
      for (const file of [...Object.keys(manifest.files), MANIFEST, CHECKSUMS]) {
        throwIfCancelled(signal);
        await mkdir(dirname(join(temporary, file)), { recursive: true });
        await copyFile(join(folder, file), join(temporary, file));
      }
    };
    await writeFolderAtomically(path, fill, { mayReplace: onlyEmpty });
  },
};
