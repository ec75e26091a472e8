/** Python literals as JSON, against what `ast.literal_eval` and `json.dumps` give (written down here), and what is no literal. */
import { expect, test } from "vitest";
import { jsonOfPython } from "../../src/data/readers/python-literal.js";

test.each([
  ["{'a': 'it is', 'b': \"it's\", 'c': 'say \"hi\"', 'd': 'it\\'s'}", { a: "it is", b: "it's", c: 'say "hi"', d: "it's" }],
  ["{u'name': u'K\\xf6lsch', 'other': 'K\\xc3\\xb6lsch', 'page': 'a\\xa0b'}", { name: "Kölsch", other: "Kölsch", page: "a\u00a0b" }],
  ["{'text': 'one\\ttwo\\nthree \\\\ \\u2019 \\U0001F37A \\q'}", { text: "one\ttwo\nthree \\ \u2019 🍺 \\q" }],
  [
    "{'n': [1, -2.5, 3., .5, 1e-3, 7L, 007], 't': (1, 'x'), 'd': {}, 'e': [], 'f': None, 'g': True, 'h': False}",
    { n: [1, -2.5, 3, 0.5, 1e-3, 7, 7], t: [1, "x"], d: {}, e: [], f: null, g: true, h: false },
  ],
  ["{'nested': {'isdst': 0, 1: 'one'}, 'trailing': [1,],}", { nested: { isdst: 0, 1: "one" }, trailing: [1] }],
  ["{'looks like': \"{'user': 'x'}, 'rating': 1\"}", { "looks like": "{'user': 'x'}, 'rating': 1" }],
  ["  'text' ", "text"],
])("%s", (text, value) => {
  expect(JSON.parse(jsonOfPython(text)!)).toEqual(value);
});

test.each(["{'a': 'cut", "{'a' 1}", "{'a': open('x')}", "{'a': 1} {'b': 2}", "", "{'a': b}", "{'a': 1;}", "[".repeat(100), "{'a': 1-2}"])(
  "no literal: %s",
  (text) => {
    expect(jsonOfPython(text)).toBeUndefined();
  },
);
