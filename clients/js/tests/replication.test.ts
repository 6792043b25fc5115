/** Servers that do not take what is sent, without a server. */

import "fake-indexeddb/auto";
import { expect, test } from "vitest";
import * as Y from "yjs";
import { EditsTooLarge } from "../src/index.js";
import { keptCopy } from "../src/offline.js";
import type { SocketClass } from "../src/sockets.js";
import { openTranscript } from "../src/transcript.js";

const SERVER = "http://127.0.0.1:8000/";
const TOO_LARGE = 4413;

/** A server that opens, and closes for this reason at the first frame. */
function closing(code: number, reason: string): SocketClass {
  class Closing extends EventTarget {
    readyState = 0;
    binaryType = "arraybuffer";
    readonly protocol = "";

    constructor() {
      super();
      queueMicrotask(() => {
        this.readyState = 1;
        this.dispatchEvent(new Event("open"));
      });
    }

    send(): void {
      queueMicrotask(() => {
        this.readyState = 3;
        this.dispatchEvent(Object.assign(new Event("close"), { code, reason }));
      });
    }

    close(): void {
      this.readyState = 3;
    }
  }
  return Closing as unknown as SocketClass;
}

const WebSocket = closing(TOO_LARGE, "at most 4194304 bytes expected, got 6000000");

test("what is too large to be sent at once is said to be that, and not tried again", async () => {
  const opening = openTranscript(SERVER, "a", { WebSocket, offline: false });
  const refused = { code: "too_large", retry: false };
  await expect(opening).rejects.toBeInstanceOf(EditsTooLarge);
  await expect(opening).rejects.toMatchObject(refused);
});

test("a kept copy that is too large to be sent opens all the same, to be made smaller", async () => {
  const doc = new Y.Doc();
  const kept = await keptCopy(`${SERVER}v1/transcripts/a`, doc);
  doc.getText("text").insert(0, "too much");
  await kept?.destroy();
  const transcript = await openTranscript(SERVER, "a", { WebSocket });
  expect(transcript.failure).toBeInstanceOf(EditsTooLarge);
  expect(transcript.state).toBe("ended");
  transcript.delete(0, 4);
  expect(transcript.text.toString()).toBe("much");
  await transcript.close();
  const again = new Y.Doc();
  await (await keptCopy(`${SERVER}v1/transcripts/a`, again))?.destroy();
  expect(again.getText("text").toString()).toBe("much");
});
