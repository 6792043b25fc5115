// An editor whose cursors stand everywhere in a transcript, and that tells where they are.
//
//     node cursors.js '{"url": ..., "transcript": ..., "token": ..., "cursors": N}'
//
// Once it has the document it puts its cursors, evenly, and says where; for each line of its input
// it says again where they are. A place is told as [words before it, characters of its word before
// it]: what stands between spaces is a word, and what editors typed (see
// loadtest/editors_typing.py) counts for nothing.

import { createInterface } from "node:readline";
import WebSocket from "ws";
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";

const plan = JSON.parse(process.argv[2]);
const doc = new Y.Doc();
const text = doc.getText("text");
const provider = new WebsocketProvider(plan.url, `${plan.transcript}/sync`, doc, {
  params: { token: plan.token },
  WebSocketPolyfill: WebSocket,
  disableBc: true,
});
await new Promise((resume) => provider.once("sync", resume));

const length = text.toString().length;
const cursors = Array.from({ length: plan.cursors }, (_, number) =>
  Y.createRelativePositionFromTypeIndex(text, Math.floor((length * (number + 0.5)) / plan.cursors)),
);

function places() {
  const content = text.toString();
  return cursors.map((cursor) => {
    const { index } = Y.createAbsolutePositionFromRelativePosition(cursor, doc);
    const before = content.slice(0, index).replace(/<\d+\.\d+>/g, "");
    return [before.split(/\s+/).filter(Boolean).length, before.match(/\S*$/)[0].length];
  });
}

console.log(JSON.stringify(places()));
for await (const _ of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(places()));
}
provider.destroy();
