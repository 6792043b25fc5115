/** Shared transcripts against a real server: read, edited, shared, without a network, merged. */

import "fake-indexeddb/auto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import * as Y from "yjs";
import { asRuns } from "../src/document.js";
import {
  connect,
  Forbidden,
  Library,
  NotFound,
  NotSaved,
  SuggestionOutdated,
} from "../src/index.js";
import { openTranscript, type SharedTranscript } from "../src/transcript.js";
import { Network, Server, samples, talk, until } from "./serving.js";

const SOON = { firstMs: 5, longestMs: 50 };
const own = { WebSocket, reconnect: SOON, offline: false };

let server: Server;
let library: Library;
let id: string;
const open: SharedTranscript[] = [];

beforeAll(async () => {
  server = await Server.start(talk(10));
  library = new Library(server.url);
});
afterAll(async () => {
  for (const transcript of open) await transcript.close();
  await server.stop();
});
beforeEach(async () => {
  ({ id } = await library.create({ title: "Weekly", language: "en" }));
});

async function join(url = server.url, options = {}): Promise<SharedTranscript> {
  const transcript = await openTranscript(url, id, { ...own, ...options });
  open.push(transcript);
  return transcript;
}

async function speak(): Promise<void> {
  const session = await connect(server.url, { WebSocket, transcript: id, persist: false });
  const pcm = samples(9);
  for (let at = 0; at < pcm.length; at += 16_000) {
    await session.send(pcm.subarray(at, at + 16_000));
    await new Promise((resolve) => setTimeout(resolve, 10)); // so that there are partials
  }
  session.end();
  await session.finished;
}

const texts = (transcript: SharedTranscript) => transcript.turns.map(({ text }) => text.trim());

test("what is spoken appears in turns, with partials before it", async () => {
  const transcript = await join();
  const partials: string[] = [];
  transcript.on("partials", (sayings) => partials.push(...sayings.map(({ text }) => text)));
  const turns: number[] = [];
  transcript.on("turns", (now) => turns.push(now.length));
  await speak();
  await until(() => transcript.text.toString().includes("w9"), "all words");
  expect(texts(transcript)).toEqual(["w0 w1 w2 w3 w4", "w5 w6 w7 w8 w9"]);
  expect(transcript.speakers).toHaveLength(2);
  expect(transcript.turns.map(({ speaker }) => speaker)).toEqual(
    transcript.speakers.map((speaker) => speaker.id),
  );
  for (const { start, end, text } of transcript.turns) {
    expect(transcript.text.toString().slice(start, end)).toBe(text);
  }
  expect(transcript.meta).toEqual({ title: "Weekly", language: "en", state: "live" });
  expect(partials.join("")).toMatch(/w\d/);
  expect(turns.at(-1)).toBe(2);
  await until(() => transcript.partials.length === 0, "no partials");
});

test("what is read again after each change is only what changed", async () => {
  const [ada, bob] = [await join(), await join()];
  const whole = vi.spyOn(bob.text, "toDelta");
  const told: number[] = [];
  bob.onChange("turns", () => told.push(bob.turns.length));
  ada.splitTurn(0);
  ada.insert(1, "so here we are");
  ada.highlight(4, 8, "yellow");
  ada.splitTurn(8);
  await until(() => bob.text.toString() === "\nso here\n we are", "all of it");
  expect(bob.turns.map(({ text, start }) => [start, text])).toEqual([
    [1, "so here"],
    [9, " we are"],
  ]);
  expect(bob.runs).toEqual(ada.runs);
  expect(bob.runs.map(({ highlight }) => highlight)).toContain("yellow");
  expect(told.at(-1)).toBe(2);
  expect(whole).toHaveBeenCalledTimes(1);
});

test("somebody whom the server does not know is added, and said to speak", async () => {
  const [ann, bob] = [await join(), await join()];
  ann.insert(0, "Good morning");
  const turn = ann.splitTurn(5);
  const speaker = ann.edit(() => {
    const added = ann.addSpeaker({ name: "Ada", colour: "voice-2" });
    ann.chooseSpeaker(turn, added);
    return added;
  });
  await until(() => bob.turns.some(({ name }) => name === "Ada"), "the speaker");
  expect(bob.speakers).toMatchObject([{ id: speaker, name: "Ada", colour: "voice-2" }]);
  ann.undo();
  await until(() => bob.speakers.length === 0, "nobody");
});

test("people edit together, and each sees what the other did", async () => {
  const [ann, bob] = [await join(), await join()];
  await speak();
  await until(() => texts(bob).length === 2, "two turns");
  const [first] = ann.turns;
  if (!first?.id || !first.speaker) throw new Error("a turn expected");
  ann.nameSpeaker(first.speaker, { name: "Zoë", colour: "#c0392b" });
  const second = ann.splitTurn(first.start + 5);
  ann.chooseSpeaker(second, "s9");
  ann.replace(first.start, first.start + 2, "👋\nHello");
  ann.highlight(first.start, first.start + 2, "yellow");
  ann.writeNotes("# Planning\n");
  await ann.saved();
  expect(ann.saving).toBe(false);
  await until(() => bob.notes.toString() !== "", "notes");
  expect(texts(bob)).toEqual(["👋\nHello w1", "w2 w3 w4", "w5 w6 w7 w8 w9"]);
  expect(bob.turns[0]).toMatchObject({ name: "Zoë", speaker: first.speaker });
  expect(bob.turns[1]).toMatchObject({ id: second, speaker: "s9", name: "s9" });
  expect(bob.turns[0]?.runs[0]).toMatchObject({ text: "👋", highlight: "yellow" });
  expect(bob.speakers[0]).toMatchObject({ name: "Zoë", named: true, colour: "#c0392b" });

  bob.joinTurns(second);
  bob.mergeSpeakers(bob.turns[1]?.speaker ?? "", first.speaker);
  bob.writeNotes("# Planning\n\n- 👋 all\n");
  await bob.saved();
  await until(() => texts(ann).length === 2, "two turns");
  expect(new Set(ann.turns.map(({ speaker }) => speaker))).toEqual(new Set([first.speaker]));
  expect(ann.notes.toString()).toBe("# Planning\n\n- 👋 all\n");
  expect((await library.read(id)).notes).toBe("# Planning\n\n- 👋 all\n");
});

test("speakers are merged in what they say later too, until it is taken back", async () => {
  const [ann, bob] = [await join(), await join()];
  ann.insert(0, "Hello there");
  const [hers, his] = [ann.splitTurn(0), ann.splitTurn(6)];
  ann.chooseSpeaker(hers, "s1");
  ann.nameSpeaker("s1", { name: "Zoë" });
  ann.mergeSpeakers("s2", "s1");
  ann.chooseSpeaker(his, "s2");
  await ann.saved();
  await until(() => bob.turns.length === 2, "two turns");
  expect(bob.turns.map(({ speaker, name }) => [speaker, name])).toEqual(
    Array(2).fill(["s1", "Zoë"]),
  );
  expect(bob.speakers.map(({ id }) => id)).toEqual(["s1"]);
  expect(bob.merged).toMatchObject([{ id: "s2", same: "s1" }]);

  bob.mergeSpeakers("s2", null);
  expect(bob.turns.map(({ speaker }) => speaker)).toEqual(["s1", "s2"]);
  bob.mergeSpeakers("s1", "s2");
  bob.mergeSpeakers("s2", "s1"); // as two people may at once
  expect(bob.turns.map(({ speaker }) => speaker)).toEqual(["s1", "s1"]);
});

test("what is read amid an edit is what stands then, and so it is afterwards", async () => {
  const ann = await join();
  ann.insert(0, "one two");
  const comment = ann.comment(4, 7, "Two?", "Ann");
  ann.edit(() => {
    ann.insert(0, "zero ");
    expect(ann.comments.map(({ place }) => place)).toEqual([[9, 12]]);
    ann.splitTurn(5);
    expect(ann.turns.map(({ text }) => text)).toEqual(["zero ", "one two"]);
  });
  expect(ann.turns.map(({ text }) => text)).toEqual(["zero ", "one two"]);
  expect(ann.runs.map(({ text }) => text).join("")).toBe(ann.text.toString());
  expect(ann.comments).toMatchObject([{ id: comment, place: [10, 13] }]);
});

test("undo takes back one's own edits only", async () => {
  const [ann, bob] = [await join(), await join()];
  ann.insert(0, "Hello");
  ann.insert(5, " there");
  await ann.saved();
  await until(() => bob.text.length === 11, "the text");
  bob.insert(11, ", all");
  await bob.saved();
  await until(() => ann.text.length === 16, "the text");
  expect(ann.undo()).toBe(true);
  expect(ann.text.toString()).toBe("Hello, all");
  expect(ann.undo()).toBe(true);
  expect(ann.text.toString()).toBe(", all");
  expect(ann.undo()).toBe(false);
  expect([ann.redo(), ann.redo(), ann.redo()]).toEqual([true, true, false]);
  expect(ann.text.toString()).toBe("Hello there, all");
});

test("comments with replies, and tags, stay at their words", async () => {
  const [ann, bob] = [await join(), await join()];
  ann.insert(0, "we went to their house");
  const comment = ann.comment(11, 16, "Whose?", "Ann");
  const tag = ann.tag(17, 22, "place", "Ann");
  await ann.saved();
  await until(() => bob.tags.length === 1, "a tag");
  bob.insert(0, "Yes, ");
  const reply = bob.reply(comment, "Ours.", "Bob");
  ann.reply(comment, "At the same moment.", "Ann");
  await Promise.all([ann.saved(), bob.saved()]);
  await until(() => ann.comments[0]?.replies.length === 2, "both replies");
  await until(() => ann.text.toString().startsWith("Yes"), "the text");
  expect(ann.comments[0]).toMatchObject({ text: "Whose?", quote: "their", place: [16, 21] });
  expect(ann.tags[0]).toMatchObject({ id: tag, label: "place", place: [22, 27] });
  ann.changeComment(comment, { resolved: true });
  expect(ann.comments[0]).toMatchObject({ resolved: true, text: "Whose?", quote: "their" });
  ann.delete(16, 21);
  expect(ann.comments[0]?.place).toBeNull();
  ann.deleteComment(reply);
  expect(ann.comments[0]?.replies.map(({ author }) => author)).toEqual(["Ann"]);
  ann.deleteComment(comment);
  ann.untag(tag);
  expect([ann.comments, ann.tags]).toEqual([[], []]);
  await ann.saved();
});

test("a suggestion is accepted in its place, or dismissed, or outdated", async () => {
  const transcript = await join();
  transcript.insert(0, "we went to that house. Oh well");
  const made = (text: string, alternative: string, before: string, after: string) => ({
    ...{ kind: "replace", text, alternative, before, after },
    ...{ words: ["1.3"], pass: "7", start_ms: 0, end_ms: 1 },
  });
  // Only the server makes them; here it is told what it would have found.
  const sug = transcript.doc.getMap("sug");
  sug.set("a", made(" that", " their", "we went to", " house. Oh well"));
  sug.set("b", made(" Oh", " Ah", "we went to that house.", " well"));
  sug.set("c", made(" gone", " here", "we", " went"));
  const told: number[] = [];
  transcript.on("suggestions", (left) => told.push(left.length));
  expect(transcript.suggestions.map((each) => transcript.place(each))).toEqual([
    [10, 15],
    [22, 25],
    null,
  ]);
  transcript.accept("a");
  expect(transcript.text.toString()).toBe("we went to their house. Oh well");
  transcript.dismiss("b");
  expect(() => transcript.accept("c")).toThrow(SuggestionOutdated);
  expect(() => transcript.accept("a")).toThrow("an open suggestion expected");
  expect(transcript.suggestions.map((each) => each.id)).toEqual(["c"]);
  expect(transcript.doc.getMap("sugd").toJSON()).toEqual({ a: "accepted", b: "dismissed" });
  expect(told).toEqual([2, 1]);
  transcript.undo();
  transcript.undo();
  expect(transcript.text.toString()).toBe("we went to that house. Oh well");
  expect(transcript.suggestions).toHaveLength(3);
});

test("who is here is shown, also after a connection was lost", async () => {
  const network = await Network.before(server);
  const ann = await join(server.urlAt(network.port));
  const bob = await join();
  ann.show({ name: "Ann", colour: "#123456" });
  bob.show({ name: "Bob" });
  await until(() => bob.people.length === 1, "Ann");
  expect(bob.people[0]).toMatchObject({ name: "Ann", colour: "#123456" });
  network.cut();
  await until(() => ann.people.length === 0, "nobody");
  await until(() => bob.people.length === 0, "nobody");
  network.mend();
  await until(() => bob.people.length === 1 && ann.people.length === 1, "both");
  expect(ann.reconnections).toBe(1);
  await ann.close();
  await until(() => bob.people.length === 0, "nobody");
  network.close();
});

test("what is written without a network is merged when there is one", async () => {
  const network = await Network.before(server);
  const ann = await join(server.urlAt(network.port));
  const bob = await join();
  ann.insert(0, "Hello");
  await ann.saved();
  network.cut();
  await until(() => ann.state === "reconnecting", "a loss");
  await until(() => bob.text.length === 5, "the text");
  ann.insert(5, " from Ann");
  ann.insert(0, "1. ");
  bob.insert(5, " from Bob");
  expect(ann.saving).toBe(true);
  const saved = ann.saved();
  network.mend();
  await saved;
  await until(() => bob.text.toString() === ann.text.toString(), "equal texts");
  for (const part of ["1. Hello", " from Ann", " from Bob"]) {
    expect(bob.text.toString()).toContain(part);
  }
  expect(ann.text.length).toBe("1. Hello from Ann from Bob".length);
  network.close();
});

test("edits survive a server that is killed", async () => {
  const ann = await join();
  ann.insert(0, "Hello");
  await ann.saved();
  await server.kill();
  ann.insert(5, " again");
  await server.launch();
  await ann.saved();
  const bob = await join();
  expect(bob.text.toString()).toBe("Hello again");
});

describe("in a browser whose store fails", () => {
  afterEach(() => vi.restoreAllMocks());

  test("a transcript opens all the same", async () => {
    vi.spyOn(indexedDB, "open").mockImplementation(() => {
      throw new DOMException("a private window", "SecurityError");
    });
    const page = await join(server.url, { offline: true });
    page.insert(0, "Hello");
    await page.saved();
  });

  test("one that never opens is not waited for", { timeout: 20_000 }, async () => {
    vi.spyOn(indexedDB, "open").mockReturnValue(new IDBOpenDBRequest());
    const page = await join(server.url, { offline: true });
    page.insert(0, "Hello");
    await page.saved();
  });

  test("edits reach the server when it is lost", async () => {
    const page = await join(server.url, { offline: true });
    const bob = await join();
    vi.spyOn(IDBDatabase.prototype, "transaction").mockImplementation(() => {
      throw new DOMException("the connection is closed", "InvalidStateError");
    });
    page.insert(0, "Hello");
    await until(() => bob.text.toString() === "Hello", "the edit");
  });
});

describe("in a browser's store", () => {
  test("edits outlive the page that made them, without a network before and after", async () => {
    const network = await Network.before(server);
    const url = server.urlAt(network.port);
    const page = await join(url, { offline: true });
    page.insert(0, "Hello");
    await page.saved();
    network.cut();
    await until(() => page.state === "reconnecting", "a loss");
    page.insert(5, " offline");
    await new Promise((resolve) => setTimeout(resolve, 50)); // until it is written
    await page.close();

    const bob = await join();
    bob.insert(0, "Bob: ");
    await bob.saved();

    const later = await join(url, { offline: true });
    expect(later.text.toString()).toBe("Hello offline");
    expect(later.saving).toBe(true);
    later.insert(0, "Later: ");
    network.mend();
    await later.saved();
    await until(() => bob.text.toString() === later.text.toString(), "equal texts");
    for (const part of ["Bob: ", "Later: ", "Hello offline"]) {
      expect(bob.text.toString()).toContain(part);
    }
    network.close();
  });

  test("two pages that hold the same edits go on together", async () => {
    const network = await Network.before(server);
    const url = server.urlAt(network.port);
    const one = await join(url, { offline: true });
    network.cut();
    await until(() => one.state === "reconnecting", "a loss");
    one.insert(0, "offline");
    await new Promise((resolve) => setTimeout(resolve, 50));
    network.mend();
    const [other] = await Promise.all([join(url, { offline: true }), one.saved()]);
    one.insert(0, "one ");
    other.insert(other.text.length, " other");
    await Promise.all([one.saved(), other.saved()]);
    await until(() => one.text.toString() === other.text.toString(), "equal texts");
    expect(one.text.toString()).toBe("one offline other");
    expect([one.state, other.state]).toEqual(["live", "live"]);
    network.close();
  });
});

test("undo in an editor of the text takes back what changed the text, and nothing else", async () => {
  const transcript = await join();
  transcript.insert(0, "we went to there house");
  const suggestion = {
    ...{ kind: "replace", text: " there", alternative: " their", words: ["1.3"] },
    ...{ before: "we went to", after: " house", pass: "7", start_ms: 0, end_ms: 300 },
  };
  transcript.doc.getMap("sug").set("a", suggestion);
  transcript.doc.getMap("sug").set("b", { ...suggestion, alternative: " that" });
  transcript.accept("a");
  transcript.dismiss("b");
  transcript.comment(0, 2, "Who?", "Ann");
  const speaker = transcript.addSpeaker({ name: "Ann" });
  const turn = transcript.edit(() => {
    transcript.delete(3, 8);
    return transcript.splitTurn(3, speaker);
  });
  transcript.chooseSpeaker(turn, "s2");
  const { textUndoManager: editor, text } = transcript;
  expect(text.toString()).toBe("we \nto their house");
  editor.undo(); // what Enter did to selected words
  expect(text.toString()).toBe("we went to their house");
  editor.undo();
  expect(text.toString()).toBe("we went to there house");
  expect(transcript.suggestions.map(({ id }) => id)).toEqual(["a"]);
  editor.undo();
  expect(text.toString()).toBe("");
  expect(editor.undo()).toBeNull();
  expect([transcript.comments.length, transcript.speakers.length]).toEqual([1, 1]);
  while (editor.redo() !== null);
  expect(text.toString()).toBe("we \nto their house");
  expect(transcript.suggestions).toEqual([]);
});

test("who only reads has taken back what was written", async () => {
  const owner = await join();
  owner.insert(0, "Hello");
  await owner.saved();
  const { token } = await library.createLink(id, { role: "viewer" });
  const viewer = await join(server.url, { token, offline: true });
  expect([owner.readOnly, viewer.readOnly]).toEqual([false, true]);
  const denied: string[] = [];
  viewer.on("denied", ({ code }) => denied.push(code));
  viewer.insert(0, "Not ");
  viewer.notesUndoManager.addTrackedOrigin("editor"); // as an editor's binding does
  viewer.doc.transact(() => viewer.notes.insert(0, "Not "), "editor");
  viewer.textUndoManager.addTrackedOrigin("editor");
  viewer.doc.transact(() => viewer.text.insert(0, "Never "), "editor");
  viewer.text.insert(0, "HACK");
  viewer.text.delete(5, 2); // of what an editor inserted
  viewer.delete(1, 2); // of what none did
  viewer.delete(viewer.text.length - 4, viewer.text.length - 2);
  while (viewer.undo());
  while (viewer.redo());
  viewer.doc.transact(() => viewer.notes.insert(0, "HACK"), "an import");
  viewer.doc.getMap("meta").set("title", "HACK");
  await expect(viewer.saved()).rejects.toThrow(Forbidden);
  expect(viewer.text.toString()).toBe("Hello");
  expect(viewer.notes.toString()).toBe("");
  expect(viewer.meta.title).toBe("Weekly");
  expect(denied).toEqual(["forbidden"]);
  expect(() => viewer.insert(0, "Not ")).toThrow(Forbidden);
  viewer.text.insert(0, "HACK");
  viewer.doc.transact(() => viewer.text.delete(0, 6), "editor");
  owner.insert(5, " all");
  await until(() => viewer.text.toString() === "Hello all", "the text");
});

test("who may only read from now on keeps what the server had taken", async () => {
  const editor = (await library.createLink(id, { role: "editor" })).token;
  const reader = (await library.createLink(id, { role: "viewer" })).token;
  let token = editor;
  class Demoted extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url.replace(editor, token), protocols);
    }
  }
  const network = await Network.before(server);
  const member = await join(server.urlAt(network.port), { token, WebSocket: Demoted });
  member.insert(0, "Hello");
  member.insert(5, " you");
  member.undo();
  const saving = member.saved();
  member.insert(5, " there"); // that the server has this as well is not known yet
  await saving;
  token = reader; // of all connections from now on
  network.cut();
  await until(() => member.state === "reconnecting", "a loss");
  member.undo();
  member.undo();
  member.redo();
  member.replace(0, 1, "Ciao, h");
  network.mend();
  await until(() => member.denied !== null, "a refusal");
  expect(member.text.toString()).toBe("Hello");
  await expect(member.saved()).rejects.toThrow(Forbidden);
  expect([member.undo(), member.redo()]).toEqual([false, false]);
  expect(member.text.toString()).toBe("Hello");
  network.close();
});

test("a transcript that is not there, or not any more, ends", async () => {
  await expect(openTranscript(server.url, "none", own)).rejects.toThrow(NotFound);
  const transcript = await join();
  const errors: Error[] = [];
  transcript.on("error", (error) => errors.push(error));
  await library.delete(id);
  await until(() => transcript.state === "ended", "an end");
  expect(errors[0]).toBeInstanceOf(NotFound);
});

test("what was not saved is said", async () => {
  const network = await Network.before(server);
  const transcript = await join(server.urlAt(network.port));
  network.close();
  await until(() => transcript.state === "reconnecting", "a loss");
  transcript.insert(0, "Hello");
  const saved = transcript.saved();
  await transcript.close();
  await expect(saved).rejects.toThrow(NotSaved);
});

test("wrong places are refused, and half a character", async () => {
  const transcript = await join();
  transcript.insert(0, "Hello");
  expect(() => transcript.insert(6, "x")).toThrow("0..5");
  expect(() => transcript.delete(3, 2)).toThrow(RangeError);
  expect(() => transcript.insert(0, "\ud83d")).toThrow(RangeError);
  expect(() => transcript.joinTurns("none")).toThrow(RangeError);
  expect(transcript.text.toString()).toBe("Hello");
});

test("a newline that is typed begins no turn, though it inherits from one that does", () => {
  const doc = new Y.Doc();
  const text = doc.getText("text");
  text.insert(0, "\n", { t: "one" });
  text.insert(1, "a");
  expect(asRuns(text.toDelta()).map(({ turn, text }) => [turn, text])).toEqual([
    ["one", "\n"],
    [null, "a"],
  ]);
});
