// An editor as people use it, Yjs on y-websocket, that does at random what people do to a
// transcript, and loses its connection now and then. It does what tests/server/scribbling.py does,
// and gives the same account: every character that it writes occurs once only, so that it is known
// of each of them whether it may be missing.
//
//     node editor.js BASE_URL TRANSCRIPT TOKEN NUMBER SECONDS
//
// After SECONDS it stays connected, says `done`, and answers each line of its input with one line:
// what it shows, and what it did.

import { createInterface } from "node:readline";
import WebSocket from "ws";
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";

const [baseUrl, transcript, token, numberText, secondsText] = process.argv.slice(2);
const number = Number(numberText);
const MAPS = ["turns", "hturns", "mspeakers", "speakers", "meta"];

const doc = new Y.Doc();
const text = doc.getText("text");
const notes = doc.getText("notes");
const account = { written: [], deleted: [], noted: [], chosen: [], connections: 0, partials: 0 };

const provider = new WebsocketProvider(baseUrl, `${transcript}/sync`, doc, {
  params: { token },
  WebSocketPolyfill: WebSocket,
  disableBc: true,
  maxBackoffTime: 500,
});
provider.awareness.setLocalStateField("user", { name: `node ${number}` });
provider.on("sync", (synced) => (account.connections += synced ? 1 : 0));
provider.awareness.on("change", () => {
  const states = [...provider.awareness.getStates().values()];
  account.partials += states.some((state) => state.trax) ? 1 : 0;
});

// Random numbers from a seed: mulberry32, public domain, by Tommy Ettinger.
let seed = number;
function random() {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}
const below = (end) => Math.floor(random() * end);
const choice = (values) => values[below(values.length)];

// One unit in UTF-16, and two.
let narrow = 0x4e00 + 2000 * number;
let wide = 0x1f300 + 200 * number;
const lastWide = wide + 199;
const newCharacter = () =>
  String.fromCodePoint(random() < 0.5 && wide < lastWide ? wide++ : narrow++);
let fresh = 0;
const newName = () => `n${number}-${++fresh}`;

// Places are those between whole characters: half of a surrogate pair is no text.
const units = (characters, end) => characters.slice(0, end).join("").length;

function type() {
  const characters = [...text.toString()];
  const written = Array.from({ length: 1 + below(4) }, newCharacter);
  account.written.push(...written);
  text.insert(units(characters, below(characters.length + 1)), written.join(""));
}

function erase() {
  const characters = [...text.toString()];
  if (!characters.length) return;
  const start = below(characters.length);
  const erased = characters.slice(start, start + 1 + below(5));
  account.deleted.push(...erased);
  text.delete(units(characters, start), erased.join("").length);
}

function splitTurn() {
  const characters = [...text.toString()];
  text.insert(units(characters, below(characters.length + 1)), "\n", { t: newName() });
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
  const character = newCharacter();
  account.noted.push(character);
  notes.insert(0, character);
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
  loseConnection,
];

function shown() {
  const characters = text
    .toDelta()
    .flatMap(({ insert, attributes }) => [...insert].map((each) => [each, attributes ?? {}]));
  const maps = Object.fromEntries(MAPS.map((name) => [name, doc.getMap(name).toJSON()]));
  return { text: characters, notes: notes.toString(), ...maps };
}

const until = Date.now() + 1000 * Number(secondsText);
while (Date.now() < until) {
  choice(ACTIONS)();
  await new Promise((resume) => setTimeout(resume, 150 * random()));
}
provider.connect();
console.log("done");
for await (const _ of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify({ shown: shown(), account }));
}
provider.destroy();
