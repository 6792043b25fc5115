/**
 * Shared transcripts, open: what is said and edited, live, and edits of one's own.
 *
 *     const transcript = await openTranscript(url, id);
 *     transcript.on("turns", (turns) => render(turns));
 *
 * The entry `trax-client/transcript`. What is read are values of `document`, `suggestions` and
 * `remarks`, by `reading`; `shared` edits. The document is made the same as the server's by `replication`,
 * and kept by `offline`; what the server refuses is taken back by `unconfirmed`.
 *
 * @packageDocumentation
 */

import { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";
import { Address } from "./address.js";
import { Reconnect, type ReconnectOptions } from "./backoff.js";
import { EditsTooLarge, NotFound, ServerUnreachable, type TraxError } from "./errors.js";
import { keptCopy } from "./offline.js";
import { Replication } from "./replication.js";
import { SharedTranscript } from "./shared.js";
import { type SocketClass, socketClass } from "./sockets.js";

export type {
  Meta,
  Person,
  Run,
  Saying,
  Stretch,
  TranscriptSpeaker,
  Turn,
} from "./document.js";
export { asRuns } from "./document.js";
export type { SessionState } from "./link.js";
export type { TranscriptEvents } from "./reading.js";
export type { Comment, Place, Reply, Tag } from "./remarks.js";
export { SharedTranscript } from "./shared.js";
export type { Suggestion, SuggestionKind } from "./suggestions.js";

/** How to open a transcript. */
export interface TranscriptOptions {
  /** Default: the URL's `?token=`. */
  readonly token?: string | null;
  /** How to connect again; by default for ever. */
  readonly reconnect?: ReconnectOptions;
  /** Where there is no global one, as in Node 20: that of `ws`, say. */
  readonly WebSocket?: SocketClass;
  /** Keep a copy in IndexedDB, so that edits without a network outlive the page; default: yes. */
  readonly offline?: boolean;
}

/**
 * Opens a shared transcript: resolves once the document is here, from the server or, without a
 * connection, as this browser knew it last.
 *
 * Once open, it survives lost connections and restarts of the server, and what was written meanwhile
 * on both sides is merged.
 *
 * @param url - The URL that the server prints, token and all; in a browser also `"/"`.
 * @throws RangeError on a URL that is none.
 * @throws {@link ServerUnreachable} if there is neither a connection nor a copy.
 * @throws {@link NotFound} if there is no such transcript.
 * @throws {@link SessionError} if the server refuses otherwise.
 */
export async function openTranscript(
  url: string | URL,
  id: string,
  options: TranscriptOptions = {},
): Promise<SharedTranscript> {
  const address = Address.of(url, options.token);
  const doc = new Y.Doc();
  const awareness = new Awareness(doc);
  awareness.setLocalState(null);
  const name = address.api(`/v1/transcripts/${id}`);
  const kept = options.offline === false ? null : await keptCopy(name, doc);
  const shared = new SharedTranscript(
    id,
    doc,
    awareness,
    kept,
    (events) =>
      new Replication(
        doc,
        awareness,
        {
          url: address.sync(id),
          shownUrl: address.api(`/v1/transcripts/${encodeURIComponent(id)}/sync`),
          reconnect: new Reconnect(options.reconnect),
          WebSocket: socketClass(options.WebSocket),
        },
        events,
      ),
  );
  const forget = (error: TraxError) => error instanceof NotFound && void kept?.clearData();
  shared.on("error", forget);
  try {
    await shared.open(isUsable);
  } catch (error) {
    if (error instanceof NotFound) await kept?.clearData();
    throw error;
  }
  return shared;
}

/** Whether a transcript may be opened without a connection: to read and edit it, or to make it smaller. */
function isUsable(doc: Y.Doc, error: TraxError): boolean {
  const passes = error instanceof ServerUnreachable || error instanceof EditsTooLarge;
  return passes && doc.store.clients.size > 0;
}
