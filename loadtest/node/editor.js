// An editor as people use it, Yjs on y-websocket, that does at random what people do to a
// transcript, and gives an account of it. It does what loadtest/living_editor.py does: every
// character that it writes occurs once only, so that it is known of each whether it may be missing.
//
//     node editor.js '{"url": ..., "transcript": ..., "token": ..., "number": ..., "seconds": ...,
//                      "pause_ms": ..., "narrow": [FIRST, END], "wide": [FIRST, END],
//                      "maps": [...]}'
//
// After so many seconds it stays connected, says `done`, and answers each line of its input with
// one line: what it shows, and what it did.

import { createInterface } from "node:readline";
import WebSocket from "ws";
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";

const plan = JSON.parse(process.argv[2]);

const doc = new Y.Doc();
const text = doc.getText("text");
const notes = doc.getText("notes");
const account = { written: [], erased: [], noted: [], chosen: [], edits: 0, connections: 0, partials: 0 };

const provider = new WebsocketProvider(plan.url, `${plan.transcript}/sync`, doc, {
  params: { token: plan.token },
  WebSocketPolyfill: WebSocket,
  disableBc: true,
  maxBackoffTime: 500,
});
provider.awareness.setLocalStateField("user", { name: `node ${plan.number}` });
provider.on("sync", (synced) => (account.connections += synced ? 1 : 0));
provider.awareness.on("change", () => {
  const states = [...provider.awareness.getStates().values()];
  account.partials += states.some((state) => state.trax) ? 1 : 0;
});

// Random numbers from a seed: mulberry32, public domain, by Tommy Ettinger.
let seed = plan.seed;
function random() {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}
const below = (end) => Math.floor(random() * end);
const choice = (values) => values[below(values.length)];

// One unit in UTF-16, and two; who has used up the ones goes on with the others.
let [narrow, narrowEnd] = plan.narrow;
let [wide, wideEnd] = plan.wide;
function newCharacter() {
  if (narrow === narrowEnd && wide === wideEnd) throw new Error("all characters are used up");
  const isWide = wide < wideEnd && (random() < 0.5 || narrow === narrowEnd);
  return String.fromCodePoint(isWide ? wide++ : narrow++);
}
let fresh = 0;
const newName = () => `n${plan.number}-${++fresh}`;

// Places are those between whole characters: half of a surrogate pair is no text.
const units = (characters, end) => characters.slice(0, end).join("").length;

function type() {
  const characters = [...text.toString()];
  const written = Array.from({ length: 1 + below(4) }, newCharacter);
  account.written.push(...written);
  text.insert(units(characters, below(characters.length + 1)), written.join(""));
}

function erase() {
  const characters = text
    .toDelta()
    .flatMap(({ insert, attributes }) => [...insert].map((each) => [attributes?.g ?? null, each]));
  if (!characters.length) return;
  const start = below(characters.length);
  const erased = characters.slice(start, start + 1 + below(5));
  const length = (pairs) => pairs.map(([, each]) => each).join("").length;
  const first = length(characters.slice(0, start));
  erased.forEach(([segment, each], number) => {
    const at = first + length(erased.slice(0, number));
    const { client, clock } = Y.createRelativePositionFromTypeIndex(text, at).item;
    account.erased.push([segment, each, client, clock]);
  });
  text.delete(first, length(erased));
}

function splitTurn() {
  const characters = [...text.toString()];
  const turn = newName();
  text.insert(units(characters, below(characters.length + 1)), "\n", { t: turn });
  choose("hturns", turn, turn, turn);
}

function joinTurns() {
  const content = text.toString();
  const breaks = [...content.matchAll(/\n/g)].map((found) => found.index);
  if (breaks.length) text.delete(choice(breaks), 1);
}

function choose(map, key, value, name) {
  doc.getMap(map).set(key, value);
  account.chosen.push([map, key, name]);
}

function rename() {
  const name = newName();
  choose("speakers", choice(["s1", "s2"]), { name }, name);
}

function assign() {
  const turns = [...doc.getMap("turns").keys()];
  const speaker = newName();
  if (turns.length) choose("hturns", choice(turns), speaker, speaker);
}

function highlight() {
  const characters = [...text.toString()];
  if (!characters.length) return;
  const start = below(characters.length);
  const marked = characters.slice(start, start + 1 + below(19)).join("");
  text.format(units(characters, start), marked.length, { hl: choice(["red", "green"]) });
}

function note() {
  const characters = [...notes.toString()];
  const character = newCharacter();
  account.noted.push(character);
  notes.insert(units(characters, below(characters.length + 1)), character);
}

function loseConnection() {
  if (random() < 0.5) {
    provider.ws?.terminate();
  } else {
    provider.disconnect();
    setTimeout(() => provider.connect(), 500 * random());
  }
}

const ACTIONS = [
  ...Array(8).fill(type),
  ...Array(4).fill(erase),
  ...Array(2).fill(splitTurn),
  joinTurns,
  rename,
  ...Array(2).fill(assign),
  ...Array(2).fill(highlight),
  note,
];

function shown() {
  const stretches = text.toDelta().map(({ insert, attributes }) => [insert, attributes ?? {}]);
  const maps = Object.fromEntries(plan.maps.map((name) => [name, doc.getMap(name).toJSON()]));
  return { text: stretches, notes: notes.toString(), maps };
}

const until = Date.now() + 1000 * plan.seconds;
while (Date.now() < until) {
  choice(ACTIONS)();
  account.edits++;
  if (random() < 0.02) loseConnection();
  await new Promise((resume) => setTimeout(resume, plan.pause_ms * random()));
}
provider.connect();
console.log("done");
for await (const _ of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify({ shown: shown(), account }));
}
process.exit();
