/**
 * Builds the page into dist/ui, from where the server serves it; `vite ui` serves it with hot reloading and
 * passes API requests on to a server at TASTEMAKER_URL (default http://127.0.0.1:8080).
 */
import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const server = process.env.TASTEMAKER_URL ?? "http://127.0.0.1:8080";

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "./",
  plugins: [react()],
  build: {
    outDir: fileURLToPath(new URL("../dist/ui", import.meta.url)),
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { "/v1": server, "/docs": server, "/openapi.json": server } },
});
