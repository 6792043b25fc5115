/** Whatever editors write, and where a suggestion's text is found. */

import { expect, test } from "vitest";
import type { Run } from "../src/document.js";
import { asSuggestions, find as findIn, type Suggestion } from "../src/suggestions.js";

const FIELDS = {
  kind: "replace",
  words: ["1.3"],
  text: " that",
  alternative: " their",
  before: "to",
  after: " house",
  pass: "2",
  start_ms: 300,
  end_ms: 400,
};
const SUGGESTION: Suggestion = {
  id: "x",
  kind: "replace",
  text: " that",
  alternative: " their",
  before: "to",
  after: " house",
  words: ["1.3"],
  startMs: 300,
  endMs: 400,
};

function runs(...texts: (string | [string, string | null])[]): Run[] {
  const found: Run[] = [];
  let start = 0;
  for (const each of texts) {
    const [text, segment] = typeof each === "string" ? [each, null] : each;
    found.push({ start, text, segment, highlight: null, turn: null });
    start += text.length;
  }
  return found;
}

const find = (found: readonly Run[], suggestion: Suggestion) =>
  findIn(found.map(({ text }) => text).join(""), found, suggestion);

test("a suggestion is read", () => {
  expect(asSuggestions({ x: FIELDS }, {})).toEqual([SUGGESTION]);
});

test("what was decided is left out, and the rest in order of time", () => {
  const made = { x: FIELDS, y: { ...FIELDS, start_ms: 0 }, z: FIELDS };
  expect(asSuggestions(made, { z: "anything" }).map(({ id }) => id)).toEqual(["y", "x"]);
});

test.each([
  null,
  "text",
  [],
  {},
  { ...FIELDS, kind: "burn" },
  { ...FIELDS, text: 5 },
  { ...FIELDS, words: "1.3" },
  { ...FIELDS, start_ms: "0" },
  { ...FIELDS, start_ms: Number.NaN },
  { ...FIELDS, end_ms: Number.POSITIVE_INFINITY },
  { ...FIELDS, start_ms: 500 },
])("anything else is left out: %o", (value) => {
  expect(asSuggestions({ x: value }, {})).toEqual([]);
});

test("a text is found by what stands around it", () => {
  expect(find(runs("that we went to that house"), SUGGESTION)).toEqual([15, 20]);
});

test.each(["", "went to this house", "went to that home"])("%o does not have it", (text) => {
  expect(find(runs(...(text ? [text] : [])), SUGGESTION)).toBeNull();
});

test("of equal texts the one is meant that its words were written to", () => {
  const twice = "to that house";
  const both = (one: string | null, other: string | null) =>
    find(runs([twice, one], " or ", [twice, other]), SUGGESTION);
  expect(both("1:0:4", "1:4:8")).toEqual([2, 7]);
  expect(both("1:4:8", "1:0:4")).toEqual([19, 24]);
  expect(both("1:0:4", "1:0:4")).toBeNull();
  expect(both(null, null)).toBeNull();
  expect(both("2:0:4", "no segment")).toBeNull();
});

const OH: Suggestion = { ...SUGGESTION, text: "Oh", alternative: "Ah", before: "", after: "" };

test("a word is not found in another one", () => {
  expect(find(runs(["In ", "1:0:4"], ["\nOhio", "1:0:4"]), OH)).toBeNull();
  expect(find(runs("into that house"), SUGGESTION)).toBeNull();
  expect(find(runs("to that houses"), SUGGESTION)).toBeNull();
});

test("a turn that is one word is found by that word only", () => {
  expect(find(runs("Well\n", ["Oh", "1:3:4"], "\nYes"), OH)).toEqual([5, 7]);
  expect(find(runs("Well\n", ["Oh", "1:8:9"], "\nYes"), OH)).toBeNull();
  expect(find(runs("Well\n", ["Oh, no", "1:3:5"]), OH)).toBeNull();
});

test("characters beyond 16 bits count as one, and as parts of words where they are", () => {
  const context = "👋".repeat(20);
  const cut = { ...SUGGESTION, before: context };
  expect(find(runs(`x${context} that house`), cut)).toEqual([41, 46]);
  const whole = { ...SUGGESTION, before: "𠮷" };
  expect(find(runs("𠮷 that house"), whole)).toEqual([2, 7]);
  expect(find(runs("𠮷𠮷 that house"), whole)).toBeNull();
});

test("what quotes nothing is nowhere", () => {
  const nothing: Suggestion = { ...OH, kind: "insert", text: "" };
  expect(find(runs("text"), nothing)).toBeNull();
});
