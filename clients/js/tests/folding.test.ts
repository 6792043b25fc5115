/** Folding events gives what the protocol says stands there. */

import { expect, test } from "vitest";
import type { Correction, Event, Final, Partial, Word } from "../src/events.js";
import { Folding } from "../src/folding.js";

function word(text: string, startMs: number, endMs: number, speaker: string | null = null): Word {
  return { text, startMs, endMs, confidence: 900, speaker };
}

function final(utterance: number, ...words: Word[]): Final {
  return { type: "final", seq: 1, utterance, words };
}

function partial(...words: Word[]): Partial {
  return { type: "partial", utterance: 0, stable: 0, words };
}

function correction(
  utterance: number,
  startMs: number,
  endMs: number,
  ...words: Word[]
): Correction {
  return { type: "correction", seq: 2, utterance, pass: "utterance", startMs, endMs, words };
}

function folded(...events: Event[]): Folding {
  const folding = new Folding();
  for (const event of events) folding.apply(event);
  return folding;
}

test("finals are appended, and partials replaced", () => {
  const folding = folded(
    { type: "speechStart", seq: 1, utterance: 0, startMs: 0 },
    partial(word("Hallo", 0, 1)),
    partial(word("Hello", 0, 1), word(" word", 1, 2)),
    final(0, word("Hello", 0, 100)),
  );
  expect([folding.text, folding.partial, folding.openUtterance]).toEqual(["Hello", null, 0]);
  const rest = partial(word(" world", 100, 200));
  folding.apply(rest);
  expect(folding.partial).toEqual(rest);
  folding.apply(final(0, word(" world.", 100, 200)));
  expect(folding.text).toBe("Hello world.");
});

test("a partial of no words is none", () => {
  expect(folded(partial(word("Oh", 0, 1)), partial()).partial).toBeNull();
});

test("the end of an utterance or of the session clears the partial", () => {
  const ends: Event[] = [
    { type: "utteranceEnd", seq: 2, utterance: 0, startMs: 0, endMs: 100 },
    { type: "done", audioMs: 100, utterances: 1, words: 1, speakers: 0, corrections: 0 },
  ];
  for (const end of ends) {
    const folding = folded(
      { type: "speechStart", seq: 1, utterance: 0, startMs: 0 },
      partial(word("Oh", 0, 1)),
      end,
    );
    expect([folding.partial, folding.openUtterance]).toEqual([null, null]);
  }
});

test("a correction replaces its utterance's words in its span", () => {
  const folding = folded(
    final(0, word("One", 0, 100), word(" two", 100, 200)),
    final(1, word(" tree", 200, 300), word(" for", 300, 400), word(" five", 400, 500)),
    correction(1, 200, 399, word(" three", 200, 300), word(" four", 300, 400)),
  );
  expect(folding.text).toBe("One two three four five");
  const corrected = folding.words.filter((spoken) => spoken.corrected);
  expect(corrected.map((spoken) => spoken.word.text)).toEqual([" three", " four"]);
  expect(folding.corrections).toBe(1);
});

test("a correction reaches words of no length at the very end", () => {
  const folding = folded(
    final(0, word("Yes", 0, 100), word(" sir", 100, 100)),
    correction(0, 0, 100, word("Yessir", 0, 100)),
  );
  expect(folding.text).toBe("Yessir");
});

test("only words that differ are marked corrected, and stay so", () => {
  const folding = folded(
    final(0, word("It", 0, 10), word(" is", 10, 20), word(" so", 20, 30)),
    correction(0, 0, 30, word("It", 0, 10), word(" was", 10, 20), word(" so", 20, 30)),
    correction(0, 0, 30, word("It", 0, 10), word(" was", 10, 20), word(" so.", 20, 30)),
  );
  expect(folding.words.map((spoken) => spoken.corrected)).toEqual([false, true, true]);
});

test("a correction where nothing stood finds its place in time", () => {
  const folding = folded(
    final(0, word("a", 0, 10)),
    final(2, word(" c", 50, 60)),
    correction(1, 20, 40, word(" b", 20, 30)),
  );
  expect(folding.text).toBe("a b c");
});

test("a correction may remove words", () => {
  expect(folded(final(0, word("a", 0, 10), word(" b", 10, 20)), correction(0, 10, 20)).text).toBe(
    "a",
  );
});

test("a speaker is revised in its span", () => {
  const speaker = (startMs: number, endMs: number, who: string | null): Event => ({
    type: "speaker",
    seq: 3,
    startMs,
    endMs,
    speaker: who,
  });
  const folding = folded(
    final(0, word("a", 0, 10), word(" b", 10, 20), word(" c", 20, 30)),
    speaker(10, 19, "S2"),
    speaker(0, 9, "S1"),
    speaker(20, 30, null),
  );
  expect(folding.words.map(({ word }) => word.speaker)).toEqual(["S1", "S2", null]);
  expect(folding.speakers).toEqual(["S1", "S2"]);
});

test("turns change with the speaker and after a pause", () => {
  const folding = folded(
    final(0, word("a", 0, 10, "S1"), word(" b", 10, 20, "S1"), word(" c", 20, 30, "S2")),
    final(1, word(" d", 1_000, 1_010, "S2")),
    final(2, word(" e", 4_000, 4_010, "S2")),
  );
  const turns = folding.turns();
  expect(turns.map(({ speaker, text }) => [speaker, text])).toEqual([
    ["S1", "a b"],
    ["S2", "c d"],
    ["S2", "e"],
  ]);
  expect([turns[1]?.startMs, turns[1]?.endMs]).toEqual([20, 1_010]);
  expect(folding.turns(3).map(({ text }) => text)).toEqual(["d", "e"]);
});

test("words of unknown speakers stay with their utterance", () => {
  const folding = folded(
    final(0, word("a", 0, 10), word(" b", 10, 20, "S1"), word(" c", 20, 30)),
    final(1, word(" d", 40, 50)),
    final(1, word(" e", 50, 60, "S1")),
  );
  expect(folding.turns().map(({ speaker, text }) => [speaker, text])).toEqual([
    ["S1", "a b c"],
    ["S1", "d e"],
  ]);
});
