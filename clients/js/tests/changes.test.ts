/** What changed in a text: the same as Yjs says by reading all of it, whatever people do. */

import fc from "fast-check";
import { expect, test } from "vitest";
import * as Y from "yjs";
import {
  changed,
  changeOf,
  leaveFormats,
  type Step,
  stretchesOf,
  type TextChange,
  tellDelta,
} from "../src/changes.js";
import { Anchors, anchor } from "../src/remarks.js";
import { Quotes } from "../src/suggestions.js";

type Edit =
  | { kind: "insert"; at: number; text: string; attributes: Record<string, string | null> }
  | { kind: "delete"; at: number; length: number }
  | { kind: "format"; at: number; length: number; attributes: Record<string, string | null> }
  | { kind: "undo" }
  | { kind: "merge" };

const attributes = fc.oneof(
  fc.constant({}),
  fc.constantFrom("a", "b").map((t) => ({ t })),
  fc.constantFrom("1:0:1", "1:1:2", null).map((g) => ({ g, t: null })),
  fc.constantFrom("yellow", "green", null).map((hl) => ({ hl })),
);
const at = fc.double({ min: 0, max: 1, noNaN: true });
const length = fc.integer({ min: 1, max: 6 });
const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({
    kind: fc.constant("insert" as const),
    at,
    text: fc.constantFrom("a", " word", "\n", "éb"),
    attributes,
  }),
  fc.record({ kind: fc.constant("delete" as const), at, length }),
  fc.record({ kind: fc.constant("format" as const), at, length, attributes }),
  fc.constantFrom({ kind: "undo" as const }, { kind: "merge" as const }),
);
/** Who edits, and what; several edits are one transaction. */
const history = fc.array(fc.tuple(fc.boolean(), fc.array(edit, { minLength: 1, maxLength: 3 })), {
  maxLength: 25,
});

function apply(text: Y.Text, edit: Edit): void {
  if (edit.kind === "undo" || edit.kind === "merge") return;
  const at = Math.floor(edit.at * text.length);
  const length = Math.min("length" in edit ? edit.length : 0, text.length - at);
  if (edit.kind === "insert") text.insert(at, edit.text, edit.attributes);
  else if (length > 0 && edit.kind === "delete") text.delete(at, length);
  else if (length > 0 && edit.kind === "format") text.format(at, length, edit.attributes);
}

/** Where text came and went, without what became of its attributes. */
function moves(delta: readonly Step[]): string[] {
  const steps: Step[] = [];
  for (const { attributes: _, ...step } of delta) {
    const last = steps.at(-1);
    if (last?.retain && step.retain) last.retain += step.retain;
    else if (last?.delete && step.delete) last.delete += step.delete;
    else if (last?.insert && step.insert) last.insert = `${last.insert}${step.insert}`;
    else steps.push({ ...step });
  }
  if (steps.at(-1)?.retain) steps.pop();
  return steps.map((step) => JSON.stringify(step));
}

/** Makes two people's documents, lets `watch` see both, and has them do what was drawn. */
function play(edits: typeof history extends fc.Arbitrary<infer T> ? T : never, watch: Watch): void {
  const docs = [new Y.Doc(), new Y.Doc()] as const;
  const undo = docs.map((doc) => new Y.UndoManager(doc.getText("text")));
  for (const doc of docs) {
    const text = doc.getText("text");
    const look = watch(text);
    text.observe((event, transaction) => look(changeOf(text, transaction), event));
  }
  const merge = () => {
    const [forBob, forAda] = docs.map((doc) => Y.encodeStateAsUpdate(doc));
    Y.applyUpdate(docs[1], forBob as Uint8Array);
    Y.applyUpdate(docs[0], forAda as Uint8Array);
  };
  for (const [first, group] of edits) {
    const who = first ? 0 : 1;
    if (group.some(({ kind }) => kind === "merge")) merge();
    else if (group.some(({ kind }) => kind === "undo")) undo[who]?.undo();
    else {
      undo[who]?.stopCapturing();
      docs[who].transact(() => {
        for (const each of group) apply(docs[who].getText("text"), each);
      });
    }
  }
  merge();
}

type Watch = (text: Y.Text) => (change: TextChange, event: Y.YTextEvent) => void;

const always = (watch: Watch) =>
  fc.assert(
    fc.property(history, (edits) => play(edits, watch)),
    { numRuns: 100 },
  );

test("deltas and stretches are those of Yjs, whoever edits what, and in one go", () => {
  always((text) => {
    let followed = stretchesOf(text);
    let shadow = text.toString();
    const copy = new Y.Doc().getText();
    return (change, event) => {
      followed = changed(followed, change);
      expect(followed).toEqual(stretchesOf(text));
      const now = change.stretches.map(({ insert }) => insert).join("");
      shadow = shadow.slice(0, change.from) + now + shadow.slice(change.to);
      expect(shadow).toBe(text.toString());
      expect(moves(change.delta)).toEqual(moves(event.delta as Step[]));
      copy.applyDelta(change.delta as Step[]);
      expect(stretchesOf(copy)).toEqual(followed);
    };
  });
});

test("quotes and anchors stand where they are if all is sought anew", () => {
  always((text) => {
    const quotes = new Quotes();
    const anchors = new Anchors(text);
    const made: object[] = [];
    let changes = 0;
    return (change) => {
      quotes.follow(change);
      anchors.follow(change);
      changes += 1;
      if (changes % 3 === 0) {
        const { start, end } = anchor(text, Math.floor(text.length / 3), text.length);
        made.push(start as object, end as object);
      }
      if (changes % 2 === 0) return; // nobody looked
      const plain = text.toString();
      for (const quote of ["a", "aa", " word", "d w", "\n"]) {
        expect(quotes.in(plain, quote)).toEqual(new Quotes().in(plain, quote));
      }
      for (const each of made) {
        expect(anchors.indexOf(each)).toBe(new Anchors(text).indexOf(each));
      }
    };
  });
});

test("typing far away has nothing sought again", () => {
  const text = new Y.Doc().getText("text");
  text.insert(0, "so here we are in our house");
  const quotes = new Quotes();
  const anchors = new Anchors(text);
  text.observe((_, transaction) => {
    for (const each of [quotes, anchors]) each.follow(changeOf(text, transaction));
  });
  const places = anchor(text, 15, 17);
  for (let n = 0; n < 50; n++) {
    text.insert(n, "x");
    text.insert(text.length, "y");
    expect(quotes.in(text.toString(), "we are")).toEqual([8 + n + 1]);
    expect([places.start, places.end].map((each) => anchors.indexOf(each))).toEqual([
      15 + n + 1,
      17 + n + 1,
    ]);
  }
  expect([quotes.sought, anchors.sought]).toEqual([1, 2]);
});

test("between places that change nothing is sought again", () => {
  const text = new Y.Doc().getText("text");
  text.insert(0, "so here we are in our house");
  const quotes = new Quotes();
  quotes.in(text.toString(), "we are");
  text.observe((_, transaction) => quotes.follow(changeOf(text, transaction)));
  for (let n = 0; n < 50; n++) {
    text.insert(n, "x");
    text.insert(text.length, "y");
  }
  text.insert(54, " we are");
  expect(quotes.in(text.toString(), "we are")).toEqual([54 + 1, 58 + 7]);
  expect(quotes.looked).toBe(50 + " we are".length + 50);
});

test("formatted words that arrive have the text walked through once", () => {
  const [server, reader] = [new Y.Doc(), new Y.Doc()];
  server.getText("text").insert(0, "so here we are", { g: "1:0:4" });
  Y.applyUpdate(reader, Y.encodeStateAsUpdate(server));
  const text = reader.getText("text");
  const first = text._start as Y.Item;
  let [right, walks] = [first.right, 0];
  Object.defineProperty(first, "right", {
    get: () => {
      walks += 1;
      return right;
    },
    set: (item) => {
      right = item;
    },
  });
  text.observe((event, transaction) => {
    tellDelta(event, changeOf(text, transaction));
    expect(event.delta).toEqual([{ retain: 14 }, { insert: " again", attributes: { g: "1:4:5" } }]);
  });
  reader.on("afterTransaction", leaveFormats);
  server.getText("text").insert(14, " again", { g: "1:4:5" });
  Y.applyUpdate(reader, Y.encodeStateAsUpdate(server));
  expect(text.toString()).toBe("so here we are again");
  expect(walks).toBe(1 + 1); // and once for `toString`
});
