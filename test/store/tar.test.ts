/** Archives, taken apart by the system's tar. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { writeTarGz } from "../../src/store/tar.js";
import { expectError } from "../support/errors.js";
import { temporaryFolder } from "../support/temporary-folder.js";

test("files and texts of any size and name come out as they went in; equal contents give equal bytes", async () => {
  const folder = temporaryFolder();
  const sizes = [0, 1, 511, 512, 513, 300_000];
  for (const size of sizes) writeFileSync(join(folder, `${size}`), Buffer.alloc(size, size % 251));
  const long = `${"folder-of-a-model/".repeat(7)}${"x".repeat(90)}`;
  const entries = [
    ...sizes.map((size) => ({ name: `sizes/${size}`, file: join(folder, `${size}`) })),
    { name: long, text: "long" },
    { name: "Zoë's/größe.json", text: '{"ä": 1}' },
  ];
  const [first, second, out] = ["a.tar.gz", "b.tar.gz", "out"].map((name) => join(folder, name));
  await writeTarGz(first, entries);
  await writeTarGz(second, entries);
  expect(readFileSync(first).equals(readFileSync(second))).toBe(true);
  mkdirSync(out);
  execFileSync("tar", ["-xzf", first, "-C", out]);
  for (const size of sizes) expect(readFileSync(join(out, "sizes", `${size}`)).equals(Buffer.alloc(size, size % 251))).toBe(true);
  expect(readFileSync(join(out, long), "utf8")).toBe("long");
  expect(readFileSync(join(out, "Zoë's/größe.json"), "utf8")).toBe('{"ä": 1}');
  expect(statSync(join(out, long)).mode & 0o777 & ~process.umask()).toBe(0o644 & ~process.umask());
});

test("a name that the format cannot hold, or a file that is gone, leaves nothing behind", async () => {
  const folder = temporaryFolder();
  const target = join(folder, "model.tar.gz");
  await expectError(writeTarGz(target, [{ name: "x".repeat(101), text: "" }]), "E_CONFIG", /too long.*shorter label/);
  await expectError(writeTarGz(target, [{ name: "x", file: join(folder, "gone") }]), "E_IO");
  expect(existsSync(target)).toBe(false);
  expect(readdirSync(folder)).toEqual([]);
});
