/**
 * examples/next in a real app: packs tastemaker, installs it with Next.js into a new folder, trains the demo, builds the app and asks it.
 *   node scripts/check-next.mjs [next@VERSION]
 * A few minutes and half a gigabyte of packages, hence no part of `npm test`. After `npm run build`.
 */
import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./set-up.mjs";

const folder = mkdtempSync(join(tmpdir(), "tastemaker-next-"));
const env = { ...process.env, NEXT_TELEMETRY_DISABLED: "1", NODE_ENV: "production" };
const run = (command, ...args) => execFileSync(command, args, { cwd: folder, env, stdio: ["ignore", "inherit", "inherit"] });
const npx = (...args) => run("npx", "--no-install", ...args);

try {
  execFileSync("npm", ["pack", "--ignore-scripts", "--silent", "--pack-destination", folder], { cwd: root });
  const tarball = readdirSync(folder).find((file) => file.endsWith(".tgz"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "shop", private: true }));
  const packages = [process.argv[2] ?? "next@16", "react", "react-dom", "typescript@5", "@types/react", "@types/node@20", `./${tarball}`];
  run("npm", "install", "--include=dev", "--ignore-scripts", "--no-audit", "--no-fund", ...packages);
  cpSync(join(root, "examples/next"), folder, { recursive: true });
  writeFileSync(
    join(folder, "app/layout.tsx"),
    "export default ({ children }: { children: React.ReactNode }) => (\n  <html lang='en'>\n    <body>{children}</body>\n  </html>\n);\n",
  );
  npx("tastemaker", "run", "demo", "--threads", "1");
  npx("tastemaker", "export", "model", "--format", "model");
  npx("next", "build");
  const port = await freePort();
  const server = spawn(process.execPath, ["node_modules/next/dist/bin/next", "start", "-p", String(port)], {
    cwd: folder,
    env,
    stdio: "inherit",
  });
  try {
    const address = `http://127.0.0.1:${port}/api/recommendations?item=P0007&item=P0311&topK=5`;
    const answer = await asked(address);
    console.log(JSON.stringify(answer));
    if (answer.items?.length !== 5) throw new Error("five items were expected");
  } finally {
    server.kill();
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function asked(address) {
  for (let tries = 0; ; tries++) {
    try {
      return await (await fetch(address)).json();
    } catch (error) {
      if (tries > 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
