/** What is too long to be inserted at once. */

import { EditorState } from "@codemirror/state";
import { expect, test } from "vitest";
import { bound, MOST_AT_ONCE, refused } from "../src/editor/bound";

const state = EditorState.create({ doc: "before", extensions: bound });
const insert = (length: number, userEvent?: string) =>
  state.update({
    changes: { from: 0, insert: "é".repeat(length) },
    ...(userEvent ? { userEvent } : {}),
  });

test("a paste that the server would not take changes nothing, and says so", () => {
  const pasted = insert(MOST_AT_ONCE + 1, "input.paste");
  expect(pasted.newDoc.toString()).toBe("before");
  expect(pasted.effects.some((effect) => effect.is(refused))).toBe(true);
});

test("the longest that may be pasted stands, and so does what others wrote", () => {
  for (const each of [insert(MOST_AT_ONCE, "input.paste"), insert(MOST_AT_ONCE + 1)]) {
    expect(each.newDoc.length).toBeGreaterThan(MOST_AT_ONCE);
    expect(each.effects).toEqual([]);
  }
});
