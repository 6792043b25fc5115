// Reads documents with Yjs itself: an update in base64 for each line, answered by a line of JSON.
import { createInterface } from "node:readline";
import * as Y from "yjs";

for await (const line of createInterface({ input: process.stdin })) {
  const doc = new Y.Doc();
  const text = doc.getText("text");
  const maps = ["turns", "hturns", "sug"].map((name) => [name, doc.getMap(name)]);
  Y.applyUpdate(doc, Buffer.from(line, "base64"));
  const shown = Object.fromEntries(maps.map(([name, map]) => [name, map.toJSON()]));
  const pending = doc.store.pendingStructs !== null || doc.store.pendingDs !== null;
  console.log(JSON.stringify({ delta: text.toDelta(), pending, ...shown }));
}
