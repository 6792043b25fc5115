/** A transcript's copy in this browser's store, by y-indexeddb: there without a network, too. */

import { IndexeddbPersistence } from "y-indexeddb";
import type * as Y from "yjs";
import { opens } from "./store.js";

/**
 * Fills a document with what the browser keeps under a name, and keeps there what becomes of it;
 * `null` where nothing can be kept.
 */
export async function keptCopy(name: string, doc: Y.Doc): Promise<IndexeddbPersistence | null> {
  // y-indexeddb would wait for ever for a store that does not open.
  if (!(await opens())) return null;
  const kept = new IndexeddbPersistence(name, doc);
  const write = kept._storeUpdate;
  doc.off("update", write);
  // Safari takes the store away from pages in the background, and any browser may when it is cleared.
  // An error here would keep the edit from the server.
  kept._storeUpdate = (update, origin) => {
    try {
      write(update, origin);
    } catch {
      void kept.destroy();
    }
  };
  doc.on("update", kept._storeUpdate);
  await kept.whenSynced;
  return kept;
}
