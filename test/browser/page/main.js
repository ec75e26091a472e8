/** The page of browser.test.ts: puts the bundled entry where the test can call it. */
import * as tastemaker from "tastemaker/browser";

globalThis.tastemaker = tastemaker;
