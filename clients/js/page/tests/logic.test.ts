/** What is decided without a browser. */

import { EditorState } from "@codemirror/state";
import { EditsTooLarge, Refused } from "trax-client";
import type { Run, Turn } from "trax-client/transcript";
import { expect, describe as group, test, vi } from "vitest";
import { drafted, hits, setDrafted, setHits } from "../src/editor/model";
import { explain } from "../src/errors";
import { clock, date, span } from "../src/format";
import { preferred, sayIn } from "../src/i18n";
import { de } from "../src/i18n/de";
import { en } from "../src/i18n/en";
import { describeJob, describeJobs, keepsWords } from "../src/job";
import { barOf, partAround, peaksOf, shareOf } from "../src/listen/peaks";
import { colours, nextColour, ownColour } from "../src/meeting/colours";
import { isHighlighted } from "../src/meeting/decorations";
import { describe } from "../src/meeting/StatusLine";
import { commandOf } from "../src/meeting/shortcuts";
import { listed, unite } from "../src/meeting/voices";
import { asHotwords, DIAL, dialOf } from "../src/meeting/wishes";
import { nameIn } from "../src/speakers";
import { fileName, obsidianNote } from "../src/take/files";
import { Finder } from "../src/take/find";
import { correctionsOf } from "../src/words/corrections";
import {
  parseSegment,
  spanOf,
  timeWords,
  WordTimes,
  wordAt,
  wordSaidAt,
} from "../src/words/timing";

const heard = ["Good", " morning", " dear", " friends"].map((text, n) => ({
  text,
  startMs: n * 1000,
  endMs: n * 1000 + 800,
  confidence: 900,
}));
const run = (start: number, text: string, segment: string | null): Run => ({
  start,
  text,
  segment,
  highlight: null,
  turn: null,
});

group("times of words", () => {
  const words = (pass: string) => (pass === "1" ? heard : undefined);

  test("each word of a segment has its place and time", () => {
    const timed = timeWords([run(0, "Good morning dear friends", "1:0:4")], words);
    expect(timed.map(({ from, to, startMs }) => [from, to, startMs])).toEqual([
      [0, 4, 0],
      [5, 12, 1000],
      [13, 17, 2000],
      [18, 25, 3000],
    ]);
  });

  test("words that people changed or typed have none, and those around them keep theirs", () => {
    const timed = timeWords([run(0, "Good evening, my dear friends", "1:0:4")], words);
    expect(timed.map(({ startMs }) => startMs)).toEqual([0, 2000, 3000]);
  });

  test("a segment that was cut in two goes on behind the cut", () => {
    const runs = [run(0, "Good morning", "1:0:4"), run(13, " dear friends", "1:0:4")];
    expect(timeWords(runs, words).map(({ from }) => from)).toEqual([0, 5, 14, 19]);
  });

  test("passes that are not here yet, and what is no segment, give nothing", () => {
    expect(
      timeWords([run(0, "Good", "2:0:1"), run(4, "x", "evil"), run(5, "y", null)], words),
    ).toEqual([]);
    expect(parseSegment("1:2")).toBeNull();
  });

  test("a text that grows and changes has only its changes looked through, with equal results", () => {
    const many = Array.from({ length: 400 }, (_, n) => ({
      text: ` w${n % 7}`,
      startMs: n * 100,
      endMs: n * 100 + 90,
      confidence: 900,
    }));
    const segments = Array.from({ length: 100 }, (_, n) =>
      run(0, ` w${(4 * n) % 7} w${(4 * n + 1) % 7}`, `1:${4 * n}:${4 * n + 4}`),
    );
    const laid = (runs: readonly Run[]) => {
      let end = 0;
      return runs.map((each) => {
        end += each.text.length;
        return { ...each, start: end - each.text.length };
      });
    };
    let heard = many.slice(0, 300);
    const times = new WordTimes();
    const read = (runs: readonly Run[]) => {
      const before = times.looked;
      const laidOut = laid(runs);
      expect(times.read(laidOut, () => heard)).toEqual(timeWords(laidOut, () => heard));
      return times.looked - before;
    };
    expect(read(segments)).toBe(100);
    expect(read(segments)).toBe(0);
    expect(read(segments.with(50, run(0, " w4 typed", "1:200:204")))).toBe(1);
    expect(
      read([...segments.slice(0, 20), run(0, " w3 w4", "1:80:84"), ...segments.slice(20)]),
    ).toBeLessThan(5);
    read(segments);
    expect(read(segments.slice(2))).toBeLessThan(5);
    heard = many;
    expect(read(segments.slice(2))).toBe(25); // whose words are here now
  });

  test("places and times lead to words", () => {
    const timed = timeWords([run(0, "Good morning dear friends", "1:0:4")], words);
    expect(wordAt(timed, 7)?.startMs).toBe(1000);
    expect(wordAt(timed, 500)).toBeNull();
    expect(wordSaidAt(timed, 2500)?.from).toBe(13);
    expect(wordSaidAt(timed, 9000)).toBeNull();
    expect(spanOf(timed, 6, 14)).toEqual({ startMs: 1000, endMs: 2800 });
    expect(spanOf(timed, 30, 40)).toBeNull();
  });
});

group("what the machine corrected", () => {
  const again = [" evening", " my"].map((text, n) => ({
    ...heard[n + 1]!,
    text,
    startMs: 1020 + n * 900,
  }));
  const words = (pass: string) => ({ "1": heard, "2": again })[pass];
  const about = (pass: string) => ({ session: "a", kind: pass === "1" ? "live" : "accurate" });
  const of = (runs: readonly Run[], told = about) =>
    correctionsOf(runs, timeWords(runs, words), words, told);

  test("is a word of a later pass, with what the live pass heard there", () => {
    const runs = [
      run(0, "Good", "1:0:4"),
      run(4, " evening", "2:0:1"),
      run(12, " dear friends", "1:0:4"),
    ];
    expect(of(runs)).toEqual([{ from: 5, to: 12, was: "morning" }]);
  });

  test("is one place where a highlight cuts it, and says when nothing stood there", () => {
    const cut = [run(0, "Good", "1:0:4"), run(4, " evening", "2:0:2"), run(12, " my", "2:0:2")];
    const runs = [...cut, run(15, " friends", "1:0:4")];
    expect(of(runs)).toEqual([{ from: 5, to: 15, was: "morning dear" }]);
    const whole = [run(0, "Good morning dear friends", "1:0:4"), run(25, " my", "2:1:2")];
    expect(of(whole)).toEqual([{ from: 26, to: 28, was: "" }]);
  });

  test("is none of what people typed beside it or into it", () => {
    const runs = [
      run(0, "Good", "1:0:4"),
      run(4, " evening UNTERWEGS my word", "2:0:2"),
      run(30, " friends", "1:0:4"),
    ];
    expect(of(runs)).toEqual([
      { from: 5, to: 12, was: "morning" },
      { from: 23, to: 25, was: "dear" },
    ]);
    const same = (pass: string) =>
      pass === "2" ? [{ ...again[0]!, text: " Morning," }] : words(pass);
    const beside = [run(0, "Good", "1:0:4"), run(4, " Morning, UNTERWEGS", "2:0:1")];
    expect(correctionsOf(beside, timeWords(beside, same), same, about)).toEqual([]);
  });

  test("is nothing that only writes otherwise, and nothing in a recording without live words", () => {
    const same = (pass: string) =>
      pass === "2" ? [{ ...again[0]!, text: " Morning," }] : words(pass);
    const runs = [run(0, "Good", "1:0:4"), run(4, " Morning,", "2:0:1")];
    expect(correctionsOf(runs, timeWords(runs, same), same, about)).toEqual([]);
    const only = [run(0, " evening", "2:0:1")];
    expect(of(only)).toEqual([]);
  });
});

test("what a remark is written about stays where its words were", () => {
  const words = { from: 4, to: 7 };
  const state = EditorState.create({ doc: "one two three", extensions: drafted });
  const written = state.update({ effects: setDrafted.of(words) }).state;
  const after = (...changes: { from: number; to?: number; insert?: string }[]) => {
    const changed = written.update({ changes }).state;
    const { from, to } = changed.field(drafted) ?? { from: 0, to: 0 };
    return [from, changed.sliceDoc(from, to)];
  };
  expect(after({ from: 0, insert: "zero " })).toEqual([9, "two"]);
  expect(after({ from: 4, insert: "x" }, { from: 7, insert: "y" })).toEqual([5, "two"]);
  expect(after({ from: 4, to: 7, insert: "four" })).toEqual([4, "four"]);
  expect(after({ from: 0, to: 8 })).toEqual([0, ""]);
});

test("all hits are marked where they stand, also after a change, until there are others", () => {
  const hit = (from: number, to: number) => ({ from, to, className: "hit" });
  const marked = (state: EditorState) => {
    const words: string[] = [];
    state.field(hits).between(0, state.doc.length, (from, to) => {
      words.push(state.sliceDoc(from, to));
    });
    return words;
  };
  const state = EditorState.create({ doc: "one two one", extensions: hits });
  const found = state.update({ effects: setHits.of([hit(0, 3), hit(8, 11), hit(8, 99)]) }).state;
  expect(marked(found)).toEqual(["one", "one"]);
  expect(marked(found.update({ changes: { from: 0, insert: "so " } }).state)).toEqual([
    "one",
    "one",
  ]);
  expect(marked(found.update({ effects: setHits.of([]) }).state)).toEqual([]);
});

test("words are highlighted in a colour when all of them are", () => {
  const runs = [
    { ...run(0, "one two", null), highlight: "green" },
    run(7, "\n", null),
    { ...run(8, "three", null), highlight: "green" },
    run(13, " four", null),
  ];
  expect(isHighlighted(runs, 0, 13, "green")).toBe(true);
  expect(isHighlighted(runs, 4, 14, "green")).toBe(true);
  expect(isHighlighted(runs, 4, 15, "green")).toBe(false);
  expect(isHighlighted(runs, 0, 3, "pink")).toBe(false);
});

group("colours of voices", () => {
  const speaker = (id: string, colour: string | null = null) => ({
    id,
    name: "",
    named: false,
    colour,
    same: null,
  });
  const shown = (...all: ReturnType<typeof speaker>[]) => {
    const colourOf = colours(all);
    return Object.fromEntries(all.map(({ id }) => [id, colourOf(id)]));
  };

  test("they are the same in whatever order a browser learned of the speakers", () => {
    const ids = ["s1", "s2", "s10", "pQ8x", "s9"].map((id) => speaker(id));
    expect(shown(...ids.toReversed())).toEqual(shown(...ids));
    expect(shown(...ids)).toMatchObject({ s1: 0, s2: 1 });
  });

  test("a voice keeps its colour when others come, and no two have one while there are more", () => {
    const first = [speaker("s1"), speaker("s2")];
    const guest = speaker("pQ8x", nextColour(first));
    const all = shown(...first, guest, speaker("s3"), speaker("s4"));
    expect(all).toMatchObject(shown(...first, guest));
    expect(new Set(Object.values(all)).size).toBe(5);
  });

  test("what people chose counts, and nobody known has the colour of none", () => {
    expect(shown(speaker("s1", "voice-5"))).toEqual({ s1: 5 });
    expect(colours([])("s1")).toBe(8);
    expect(colours([speaker("s1")])(null)).toBe(8);
  });
});

group("colours of people", () => {
  const person = (client: number, colour: string | null) => ({ client, name: "Ada", colour });

  test("whoever comes has the first that nobody present has, and keeps it", () => {
    const here = [person(16, "voice-0"), person(9, "#c0392b")];
    expect(ownColour(here, 5, undefined)).toBe("voice-2"); // 9 has what follows from its number
    expect(ownColour([], 5, undefined)).toBe("voice-0");
    expect(ownColour(here, 5, "voice-7")).toBe("voice-7");
    const all = Array.from({ length: 8 }, (_, n) => person(n, `voice-${n}`));
    expect(ownColour(all, 13, undefined)).toBe("voice-5");
    expect(ownColour(all, 13, "voice-5")).toBe("voice-5");
  });

  test("of two with the same one takes another", () => {
    expect(ownColour([person(3, "voice-0")], 5, "voice-0")).toBe("voice-1");
    expect(ownColour([person(5, "voice-0")], 3, "voice-0")).toBe("voice-0");
  });
});

group("speakers whom people choose among", () => {
  const speaker = (id: string, given?: string) => ({
    id,
    name: given ?? id.replace("s", "Speaker "),
    named: given !== undefined,
    colour: null,
    same: null,
  });

  test("they have a turn, or a name that people gave", () => {
    const turns = [{ speaker: "s2" }, { speaker: null }] as Turn[];
    const all = [speaker("s1"), speaker("s2"), speaker("s3", "Ada")];
    expect(listed(all, turns).map(({ id }) => id)).toEqual(["s2", "s3"]);
  });

  test("two who are one keep the name that somebody gave, else that of the other", () => {
    const merged = (one: string, other: string) => {
      const mergeSpeakers = vi.fn();
      const brought = { ...speaker("s5"), name: "Zoë" }; // by a microphone of her own
      const nameless = { ...speaker("s6"), name: "" };
      const named = [speaker("s2", "Ada"), speaker("s3", "Bob")];
      const speakers = [speaker("s1"), ...named, speaker("s4"), brought, nameless];
      unite({ speakers, mergeSpeakers }, one, other);
      return mergeSpeakers.mock.calls;
    };
    expect(merged("s2", "s1")).toEqual([["s1", "s2"]]);
    expect(merged("s1", "s2")).toEqual([["s1", "s2"]]);
    expect(merged("s2", "s3")).toEqual([["s2", "s3"]]);
    expect(merged("s1", "s4")).toEqual([["s1", "s4"]]);
    expect(merged("s5", "s1")).toEqual([["s1", "s5"]]);
    expect(merged("s5", "s6")).toEqual([["s6", "s5"]]);
    expect(merged("s5", "s2")).toEqual([["s5", "s2"]]);
  });
});

test("searching minds neither case nor accents, and knows where things stand", () => {
  const turn = (start: number, text: string, speaker: string) => ({ start, text, speaker }) as Turn;
  const turns = [turn(1, "Ein Café, İstanbul", "s1"), turn(20, "kein cafe", "s2")];
  const finder = new Finder();
  const find = finder.find.bind(finder);
  expect(find(turns, "CAFE", null)).toEqual([
    { from: 5, to: 9 },
    { from: 25, to: 29 },
  ]);
  expect(find(turns, "café", "s2")).toEqual([{ from: 25, to: 29 }]);
  expect(find(turns, "  ", null)).toEqual([]);
  const looked = finder.looked;
  find(turns, "cafe", null);
  const grown = [
    ...turns.map((each) => ({ ...each, start: each.start + 7 })),
    turn(40, "Cafés", "s1"),
  ];
  expect(find(grown, "cafe", null).map(({ from }) => from)).toEqual([12, 32, 40]);
  expect(find(grown, "kein", null)).toHaveLength(1);
  expect(finder.looked - looked).toBe(2 + 1); // nothing was kept while nothing was sought
});

test("both languages have the same places to fill", () => {
  const holes = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
  for (const key of Object.keys(en) as (keyof typeof en)[])
    expect(holes(de[key])).toEqual(holes(en[key]));
  expect(sayIn(de)("take.hits", { at: 1, count: 2 })).toBe("1 von 2");
  expect(preferred(null, ["fr", "de-AT"])).toBe("de");
  expect(preferred("en", ["de"])).toBe("en");
  expect(preferred("constructor", [])).toBe("en");
});

test("an Obsidian note survives whatever stands in a title", () => {
  const facts = {
    title: 'a: "b"\n---',
    date: new Date(0),
    durationMs: 61_000,
    people: ["x"],
    tags: ["to do"],
  };
  const note = obsidianNote("# a", facts);
  expect(note.split("\n").slice(0, 2)).toEqual(["---", 'title: "a: \\"b\\" ---"']);
  expect(note).toContain('  - "to-do"');
  expect(fileName("../a/b:c\0", "srt")).toBe(".. a b c.srt");
  expect(fileName("///", "srt")).toBe("transcript.srt");
});

test("keys do things on the page, and less while one types", () => {
  const key = (name: string, more = {}) => ({
    key: name,
    ctrlKey: false,
    metaKey: false,
    altKey: false,
    ...more,
  });
  expect(commandOf(key(" "), false)).toBe("play");
  expect(commandOf(key(" "), true)).toBeNull();
  expect(commandOf(key(" ", { ctrlKey: true }), true)).toBe("play");
  expect(commandOf(key("toString"), false)).toBeNull();
});

test("the status says the worst that is", () => {
  const say = sayIn(en);
  const recording = { phase: "recording", reconnecting: false, lagMs: 0 } as const;
  expect(describe("live", false, recording, say)[1]).toBe("Listening");
  expect(describe("live", false, { ...recording, reconnecting: true }, say)[1]).toContain(
    "your audio is kept",
  );
  expect(describe("live", true, { ...recording, phase: "off" }, say)[1]).toContain("Saving");
  expect(describe("live", false, { ...recording, lagMs: 9000 }, say)[1]).toBe(
    "Catching up, 9 s behind",
  );
  expect(describe("reconnecting", false, { ...recording, phase: "off" }, say)[0]).toBe("bad");
});

test("a job says how far it is", () => {
  const say = sayIn(en);
  const job = { progress: 420, error: "no room", errorCode: "new" };
  const told = (state: string) => describeJob({ ...job, state }, say);
  const states = ["waiting", "running", "heard", "done", "failed", "cancelled"];
  expect(states.map(told)).toEqual([
    "Waits to be heard",
    "Being heard, 42 %",
    "Being written",
    "Done",
    "Failed: no room",
    "Cancelled",
  ]);
  const known = { ...job, state: "failed", errorCode: "no_audio" };
  expect(describeJob(known, sayIn(de))).toBe(`Gescheitert: ${de["failed.noAudio"]}`);
});

test("only a job that is under way, or a file that failed, is why there are no words", () => {
  const kept = (state: string, kind: string, over = true) => keepsWords({ state, kind, over });
  expect(kept("waiting", "recording", false)).toBe(true);
  expect(kept("failed", "upload")).toBe(true);
  expect(kept("failed", "recording")).toBe(false);
  expect(kept("done", "upload")).toBe(false);
});

test("a passage that was heard again says what came of it", () => {
  const job = (state: string) => ({ state, progress: 420, error: null, errorCode: null });
  const told = (suggested: number, ...states: string[]) =>
    describeJobs(states.map(job), suggested, sayIn(en));
  expect(told(0)).toBe("");
  expect(told(0, "waiting", "waiting")).toBe("Waits to be heard");
  expect(told(2, "running", "done")).toBe("Being heard, 42 % · Done");
  expect(told(0, "done", "done")).toBe(en["again.done"]);
  expect(told(2, "done")).toMatch(/New suggestions: 2$/);
});

test("wishes, times and peaks", () => {
  expect(asHotwords(" Ada, ,Trax\nAda ")).toEqual(["Ada", "Trax"]);
  const wishes = { language: "auto", diarization: true, hotwords: [] };
  expect(DIAL.map((each) => dialOf({ ...wishes, ...each }))).toEqual(DIAL.map((_, at) => at));
  expect([clock(-1), clock(65_000), clock(3_661_000)]).toEqual(["0:00", "1:05", "1:01:01"]);
  expect([span(37_100, 37_900), span(37_100, 38_000)]).toEqual(["0:37", "0:37–0:38"]);
  const wav = new ArrayBuffer(44 + 8);
  new Int16Array(wav).set([0, 16_384, -32_768, 0], 22);
  expect([...peaksOf(wav, 2)]).toEqual([0.5, 1]);
});

test("a short recording is shown as a whole, a long one or one that grows by the minute", () => {
  expect(partAround(70_000, 89_400, false)).toEqual({ fromMs: 0, toMs: 89_400, shownMs: 89_400 });
  expect(partAround(70_000, 150_000, false)).toMatchObject({ fromMs: 60_000, toMs: 120_000 });
  expect(partAround(130_000, 150_000, false)).toMatchObject({ fromMs: 120_000, shownMs: 30_000 });
  expect(partAround(4_000, 5_000, true)).toEqual({ fromMs: 0, toMs: 5_000, shownMs: 60_000 });
  expect(shareOf(partAround(70_000, 89_400, false), 89_400)).toBeNull();
  expect(shareOf(partAround(4_000, 5_000, true), 5_000)).toBeNull();
  const share = shareOf(partAround(130_000, 150_000, false), 150_000);
  expect(share).toEqual({ from: 0.8, wide: 0.2 });
  expect(shareOf(partAround(70_000, 70_000, true), 70_000)?.from).toBeCloseTo(6 / 7);
  expect(barOf(240)).toEqual({ left: 0.15, wide: 0.7 });
  expect(barOf(12).wide / 12).toBeLessThan(0.01);
});

test("dates are written as the browser's person writes those of the page's language", () => {
  const noon = new Date(2026, 4, 8, 13, 5).getTime();
  const written = (tongue: string, ...languages: string[]) => date(noon, tongue, noon, languages);
  expect(written("en", "de-AT", "en-GB")).toMatch(/13:05/);
  expect(written("en", "en-US")).toMatch(/0?1:05.PM/);
  expect(written("de", "en-US")).toMatch(/Mai.*13:05/);
});

test("speakers whom the server only counted are called as the page speaks; people are not", () => {
  expect(nameIn("Speaker 2", sayIn(de))).toBe("Sprecher 2");
  expect(nameIn("Speaker 2", sayIn(en))).toBe("Speaker 2");
  for (const name of ["", "Ada", "Speaker 0", "Speaker 2 of the house"]) {
    expect(nameIn(name, sayIn(de))).toBe(name);
  }
});

test("what the server refuses is told in the language of the page, where its code is known", () => {
  const told = (code: string) => ({
    code,
    message: "The file cannot be heard",
    ...{ expected: "sound", got: "none", retry: false, retryAfterMs: null },
  });
  const refused = (code: string) => new Refused(told(code));
  expect(explain(refused("no_audio"), sayIn(de))).toBe(de["refused.noAudio"]);
  const edits = new EditsTooLarge(told("too_large"));
  expect(explain(edits, sayIn(de))).toBe(de["error.editsTooLarge"]);
  expect(explain(refused("too_large"), sayIn(de))).toBe(de["refused.tooLarge"]);
  expect(explain(refused("constructor"), sayIn(de))).toBe(
    "Das ging nicht: The file cannot be heard",
  );
});
