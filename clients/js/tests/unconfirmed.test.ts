/** What a server refuses is taken back, and nothing that it has. */

import fc from "fast-check";
import { expect, test } from "vitest";
import * as Y from "yjs";
import { Unconfirmed } from "../src/unconfirmed.js";

/** A document that is edited, with a history; and what its server has, as it says. */
class Edited {
  private readonly doc = new Y.Doc();
  readonly text = this.doc.getText("text");
  readonly names = this.doc.getMap("speakers");
  readonly unconfirmed: Unconfirmed;
  readonly history: Y.UndoManager;
  has: unknown;
  private asked: unknown;

  constructor() {
    this.text.insert(0, "it was there before");
    this.unconfirmed = new Unconfirmed(this.doc);
    this.history = new Y.UndoManager([this.text, this.names], { captureTimeout: 0 });
    this.has = this.asked = this.now;
  }

  get now(): unknown {
    return { text: this.text.toString(), names: this.names.toJSON() };
  }

  insert(at: number, text: string): void {
    this.text.insert(Math.min(at, this.text.length), text);
  }

  delete(at: number, length: number): void {
    const start = Math.min(at, this.text.length);
    this.text.delete(start, Math.min(length, this.text.length - start));
  }

  ask(): void {
    this.unconfirmed.asked();
    this.asked = this.now;
  }

  confirm(): void {
    this.unconfirmed.confirmed();
    this.has = this.asked;
  }

  confirmAll(): void {
    this.unconfirmed.clear();
    this.has = this.asked = this.now;
  }
}

type Step = (edited: Edited) => unknown;
const at = fc.nat(20);
const length = fc.integer({ min: 1, max: 8 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(at, fc.string({ minLength: 1 })).map(
    (given): Step =>
      (it) =>
        it.insert(...given),
  ),
  fc.tuple(at, length).map(
    (given): Step =>
      (it) =>
        it.delete(...given),
  ),
  fc.string().map(
    (name): Step =>
      (it) =>
        it.names.set("s1", name),
  ),
  fc.constantFrom<Step>(
    (it) => it.history.undo(),
    (it) => it.history.redo(),
    (it) => it.ask(),
    (it) => it.confirm(),
    (it) => it.confirmAll(),
  ),
);

test("what is taken back is what was written since the last that the server has", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const edited = new Edited();
      for (const each of steps) each(edited);
      edited.unconfirmed.takeBack();
      expect(edited.now).toEqual(edited.has);
    }),
  );
});
