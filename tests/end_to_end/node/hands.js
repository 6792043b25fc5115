// An editor as people use it, Yjs on y-websocket with undo and cursors, that does what it is told.
//
//     node hands.js URL TRANSCRIPT TOKEN
//
// Each line of its input is one order, answered with one line when it is carried out: the text
// before and after it, and where the cursors stand, all counted in code points.

import { createInterface } from "node:readline";
import WebSocket from "ws";
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";

const [url, transcript, token] = process.argv.slice(2);
const MINE = "mine";

const doc = new Y.Doc();
const text = doc.getText("text");
const speakers = doc.getMap("speakers");
const provider = new WebsocketProvider(url, `${transcript}/sync`, doc, {
  params: { token },
  WebSocketPolyfill: WebSocket,
  disableBc: true,
});
const undo = new Y.UndoManager([text, speakers], {
  trackedOrigins: new Set([MINE]),
  captureTimeout: 0,
});
const cursors = new Map();

const points = () => [...text.toString()];
const units = (end) => points().slice(0, end).join("").length;
const place = (unit) => [...text.toString().slice(0, unit)].length;

const ORDERS = {
  type: ({ at, text: typed }) => doc.transact(() => text.insert(units(at), typed), MINE),
  erase({ start, end }) {
    const first = units(start);
    doc.transact(() => text.delete(first, units(end) - first), MINE);
  },
  name: ({ speaker, name }) => doc.transact(() => speakers.set(speaker, { name }), MINE),
  undo: () => undo.undo(),
  redo: () => undo.redo(),
  undoAll() {
    while (undo.undo());
  },
  redoAll() {
    while (undo.redo());
  },
  put({ cursor, at }) {
    cursors.set(cursor, Y.createRelativePositionFromTypeIndex(text, units(at)));
  },
  putEverywhere() {
    points().forEach((point, at) => ORDERS.put({ cursor: point, at }));
  },
  look() {},
  async until({ text: awaited }) {
    const shows = () => awaited.every((each) => text.toString().includes(each));
    if (shows()) return;
    await new Promise((resume) => {
      const look = () => {
        if (!shows()) return;
        doc.off("update", look);
        resume();
      };
      doc.on("update", look);
    });
  },
};

function standing(position) {
  const found = Y.createAbsolutePositionFromRelativePosition(position, doc);
  return found === null ? null : place(found.index);
}

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  const before = text.toString();
  await ORDERS[order.do](order);
  const stand = [...cursors].map(([cursor, position]) => [cursor, standing(position)]);
  const answer = { before, after: text.toString(), cursors: Object.fromEntries(stand) };
  console.log(JSON.stringify({ ...answer, speakers: speakers.toJSON() }));
}
provider.destroy();
