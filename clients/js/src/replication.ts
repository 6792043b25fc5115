/**
 * Keeps a document and the server's the same, over as many connections as it takes.
 *
 * It speaks the standard Yjs protocol, as y-websocket does, and does besides what a Trax server asks
 * of its clients: it waits with full jitter, sets its presence again after a reconnect, and knows
 * when what was written is stored. Updates are not acknowledged; but the server answers in order, and
 * only when what it was told before is stored: so a further question is put after what was written,
 * and the answer to it confirms that.
 */

import * as decoding from "lib0/decoding";
import * as encoding from "lib0/encoding";
import {
  type Awareness,
  applyAwarenessUpdate,
  encodeAwarenessUpdate,
  removeAwarenessStates,
} from "y-protocols/awareness";
import * as sync from "y-protocols/sync";
import * as Y from "yjs";
import { type Reconnect, sleep } from "./backoff.js";
import {
  EditsTooLarge,
  Forbidden,
  ProtocolViolation,
  ServerUnreachable,
  SessionError,
  sessionError,
  TraxError,
} from "./errors.js";
import type { SessionState } from "./link.js";
import { isFinal, LOST, Socket, type SocketClass, watchNetwork } from "./sockets.js";

const SYNC = 0;
const AWARENESS = 1;
const AUTH = 2;

/** Between questions whether all has arrived, while nobody waits for the answer. */
const CONFIRM_MS = 1_000;

/** Silence of a server after which it is asked whether it is there. */
const ASK_MS = 20_000;

/** Silence of a server after which the connection counts as lost. */
const DEAD_MS = 35_000;

/** Times in a row that a client id may turn out to be somebody else's. */
const MOST_NAMES = 3;

const REPLACED = 4412;

const CODES: Readonly<Record<number, string>> = {
  1009: "too_large",
  1011: "internal_error",
  1012: "restart",
  1013: "overloaded",
  4400: "malformed",
  4401: "unauthorized",
  4403: "forbidden",
  4404: "unknown_transcript",
  4413: "too_large",
  4415: "unsupported",
  4429: "too_fast",
};

/** Where, and how. */
export interface ReplicationOptions {
  /** With the token. */
  readonly url: string;
  /** Without it, for errors. */
  readonly shownUrl: string;
  readonly reconnect: Reconnect;
  readonly WebSocket: SocketClass;
}

/** What is told of it. */
export interface ReplicationEvents {
  state(state: SessionState): void;
  /** How many changes the server may not have became another number. */
  unconfirmed(): void;
  /** The server is asked about all changes up to now. */
  asked(): void;
  /** It has all that it was asked about last. */
  confirmed(): void;
  /** The server takes nothing from us. */
  denied(error: Forbidden): void;
  /** It cannot go on. */
  failed(error: TraxError): void;
}

/** The connections of one open transcript; owned by it. */
export class Replication {
  state: SessionState = "connecting";
  /** How many connections were lost and made again. */
  reconnections = 0;
  /** Why nothing may be written, once the server has said so. */
  denied: Forbidden | null = null;
  /**
   * Whether the server did not ask what we have when we came: it would not take it.
   *
   * A hint; `denied` is certain.
   */
  readsOnly = false;
  private socket: Socket | null = null;
  private written = 0;
  private confirmed = 0;
  /** What each question that was not answered yet asks about. */
  private questions: number[] = [];
  private answered = false;
  private impatient: (() => void)[] = [];
  private attempts = 0;
  private names = 0;
  private asking: ReturnType<typeof setTimeout> | null = null;
  private readonly timer: ReturnType<typeof setInterval>;
  private readonly stopped = new AbortController();
  private napping = new AbortController();
  private readonly unwatch: () => void;

  constructor(
    private readonly doc: Y.Doc,
    private readonly awareness: Awareness,
    private readonly options: ReplicationOptions,
    private readonly events: ReplicationEvents,
  ) {
    doc.on("update", this.noteUpdate);
    awareness.on("update", this.notePresence);
    this.timer = setInterval(() => this.attend(), ASK_MS / 4);
    this.unwatch = watchNetwork((online) => {
      if (online) this.napping.abort();
      else this.socket?.close(LOST);
    });
  }

  /** How many changes the server may not have. */
  get unconfirmed(): number {
    return this.written - this.confirmed;
  }

  /** Counts what was in the document before as one change that the server may not have. */
  noteEarlier(): void {
    this.written += 1;
  }

  /** Connects, once; rejects with why that failed. `run` goes on from there, however it ended. */
  open(): Promise<void> {
    return this.connect();
  }

  /** Replicates until it cannot go on. To be run once, after `open`. */
  async run(opened: TraxError | null): Promise<void> {
    let cause = opened ?? (await this.over);
    while (!this.stopped.signal.aborted) {
      if (!this.passes(cause)) {
        this.fail(cause);
        return;
      }
      this.become("reconnecting");
      const least = cause instanceof SessionError ? cause.retryAfterMs : 0;
      this.napping = new AbortController();
      await sleep(
        Math.max(least, this.options.reconnect.delayMs(this.attempts++)),
        this.napping.signal,
      );
      if (this.stopped.signal.aborted) return;
      try {
        await this.connect();
        this.reconnections += 1;
        cause = await this.over;
      } catch (error) {
        if (!(error instanceof TraxError)) throw error;
        cause = error;
      }
    }
  }

  /** Ends all; nobody waits any more. */
  stop(): void {
    if (this.stopped.signal.aborted) return;
    removeAwarenessStates(this.awareness, [this.awareness.clientID], "local");
    this.stopped.abort();
    this.napping.abort();
    this.unwatch();
    clearInterval(this.timer);
    clearTimeout(this.asking ?? undefined);
    this.doc.off("update", this.noteUpdate);
    this.awareness.off("update", this.notePresence);
    this.socket?.close(1000);
    this.become("ended");
    this.release();
  }

  /** Waits until the server has all that was written up to now; returns whether it does. */
  async saved(): Promise<boolean> {
    const number = this.written;
    while (this.confirmed < number && !this.denied && !this.stopped.signal.aborted) {
      const woken = new Promise<void>((resolve) => {
        this.impatient.push(resolve);
      });
      this.ask();
      await woken;
    }
    return this.confirmed >= number && this.denied === null;
  }

  // One connection

  private over: Promise<TraxError> = Promise.resolve(new TraxError("a connection expected"));
  private greet: (() => void) | null = null;

  private connect(): Promise<void> {
    return new Promise((resolve, reject) => {
      const startedAt = performance.now();
      const { handshakeMs, longestMs } = this.options.reconnect;
      let ended: (cause: TraxError) => void = () => undefined;
      this.over = new Promise((settle) => {
        ended = settle;
      });
      const closed = (code: number, reason: string) => {
        clearTimeout(timer);
        this.socket = null;
        this.greet = null;
        this.forgetOthers();
        if (performance.now() - startedAt > longestMs) this.attempts = this.names = 0;
        const cause = this.why(code, reason);
        ended(cause);
        reject(cause);
      };
      this.questions = [this.confirmed];
      this.answered = false;
      this.greet = () => {
        clearTimeout(timer);
        this.greet = null;
        this.readsOnly = !this.answered;
        this.answered = true;
        // So that it says whether it takes what it did not ask for.
        if (this.readsOnly && this.unconfirmed > 0) this.tellAll();
        this.become("live");
        resolve();
        this.show();
        this.later();
      };
      const { url, shownUrl, WebSocket } = this.options;
      const socket = new Socket(WebSocket, url, shownUrl, [], {
        opened: () => this.send(SYNC, (encoder) => sync.writeSyncStep1(encoder, this.doc)),
        received: (frame) => this.receive(frame),
        closed,
      });
      const timer = setTimeout(() => socket.close(LOST, "it does not answer"), handshakeMs);
      this.socket = socket;
    });
  }

  private receive(frame: string | Uint8Array): void {
    if (typeof frame === "string") {
      this.violate("binary frames", "text");
      return;
    }
    try {
      const decoder = decoding.createDecoder(frame);
      const type = decoding.readVarUint(decoder);
      if (type === SYNC) this.receiveSync(decoder);
      else if (type === AWARENESS) {
        applyAwarenessUpdate(this.awareness, decoding.readVarUint8Array(decoder), this);
      } else if (type === AUTH) this.deny(decoding.readVarUint(decoder), decoder);
    } catch (error) {
      this.violate("a message of y-protocols", error instanceof Error ? error.name : "another");
    }
  }

  private receiveSync(decoder: decoding.Decoder): void {
    const encoder = encoding.createEncoder();
    encoding.writeVarUint(encoder, SYNC);
    const type = sync.readSyncMessage(decoder, encoder, this.doc, this);
    if (type === sync.messageYjsSyncStep1) {
      this.socket?.send(encoding.toUint8Array(encoder));
      this.answered = true;
    }
    if (type !== sync.messageYjsSyncStep2) return;
    const number = this.questions.shift() ?? 0;
    if (number > this.confirmed) {
      this.confirmed = number;
      this.events.confirmed();
    }
    this.greet?.();
    this.events.unconfirmed();
    this.release();
    this.later();
  }

  private deny(kind: number, decoder: decoding.Decoder): void {
    if (kind !== 0 || this.denied !== null) return;
    const message = decoding.readVarString(decoder);
    const told = { code: "forbidden", message, expected: "a token that writes", got: "a reader's" };
    this.denied = new Forbidden({ ...told, retry: false, retryAfterMs: null });
    this.events.denied(this.denied);
    this.confirmed = this.written;
    this.events.unconfirmed();
    this.release();
  }

  /** Asks whether all has arrived, if it may not have; one question at a time. */
  private ask(): void {
    const ready = this.state === "live" && this.answered && this.questions.length === 0;
    if (ready && this.unconfirmed > 0 && !this.denied) this.question();
  }

  private tellAll(): void {
    const update = Y.encodeStateAsUpdate(this.doc);
    this.send(SYNC, (encoder) => sync.writeUpdate(encoder, update));
  }

  private question(): void {
    this.questions.push(this.written);
    this.events.asked();
    this.send(SYNC, (encoder) => sync.writeSyncStep1(encoder, this.doc));
  }

  private later(): void {
    if (this.impatient.length > 0) this.ask();
    if (this.asking !== null || this.unconfirmed === 0) return;
    this.asking = setTimeout(() => {
      this.asking = null;
      this.ask();
    }, CONFIRM_MS);
  }

  /** Notices a server that is gone. */
  private attend(): void {
    if (this.socket === null) return;
    const silentMs = performance.now() - this.socket.receivedAt;
    if (silentMs > DEAD_MS) this.socket.close(LOST, "nothing comes any more");
    else if (silentMs > ASK_MS && this.questions.length === 0) this.question();
  }

  private send(type: number, write: (encoder: encoding.Encoder) => void): void {
    const encoder = encoding.createEncoder();
    encoding.writeVarUint(encoder, type);
    write(encoder);
    this.socket?.send(encoding.toUint8Array(encoder));
  }

  private readonly noteUpdate = (update: Uint8Array, origin: unknown): void => {
    // From the server, or from what was kept of an earlier page, which is synchronised as a whole.
    if (origin === this || this.denied !== null) return;
    this.written += 1;
    if (this.answered) this.send(SYNC, (encoder) => sync.writeUpdate(encoder, update));
    this.events.unconfirmed();
    this.later();
  };

  private readonly notePresence = (
    { added, updated, removed }: Record<"added" | "updated" | "removed", number[]>,
    origin: unknown,
  ): void => {
    const ours = this.awareness.clientID;
    // A server that missed us tells that we are gone; y-protocols keeps our state, and we tell it.
    const concerned = origin === this ? removed : [...added, ...updated, ...removed];
    if (concerned.includes(ours) && this.state === "live") this.tellPresence();
  };

  /** Shows again what was shown before, as something new: others may think that we are gone. */
  private show(): void {
    const state = this.awareness.getLocalState();
    if (state !== null) this.awareness.setLocalState(state);
  }

  private tellPresence(): void {
    const update = encodeAwarenessUpdate(this.awareness, [this.awareness.clientID]);
    this.send(AWARENESS, (encoder) => encoding.writeVarUint8Array(encoder, update));
  }

  private forgetOthers(): void {
    const others = [...this.awareness.getStates().keys()].filter(
      (client) => client !== this.awareness.clientID,
    );
    removeAwarenessStates(this.awareness, others, this);
    // Else what they showed would be nothing new when we are told it again.
    for (const client of others) this.awareness.meta.delete(client);
  }

  private violate(expected: string, got: string): void {
    this.violation = new ProtocolViolation(expected, got);
    this.socket?.close(1000);
  }

  private violation: ProtocolViolation | null = null;

  private why(code: number, reason: string): TraxError {
    if (this.violation !== null) return this.violation;
    const name = CODES[code] ?? (isFinal(code) ? `close ${code}` : null);
    if (code === REPLACED && this.names++ < MOST_NAMES) this.rename();
    else if (name !== null) {
      const message = reason || "the server gave no reason";
      const told = { code: name, message, expected: "an open transcript", got: `close ${code}` };
      if (name === "too_large") {
        return new EditsTooLarge({ ...told, retry: false, retryAfterMs: null });
      }
      return sessionError({ ...told, retry: !isFinal(code), retryAfterMs: null });
    }
    return new ServerUnreachable(this.options.shownUrl, `connection closed: ${code} ${reason}`);
  }

  /**
   * Writes under another client id from now on.
   *
   * Another tab that found our offline edits in the browser's store told the server of them first.
   */
  private rename(): void {
    const state = this.awareness.getLocalState();
    removeAwarenessStates(this.awareness, [this.awareness.clientID], "local");
    this.doc.clientID = new Y.Doc().clientID;
    this.awareness.clientID = this.doc.clientID;
    this.awareness.setLocalState(state);
  }

  // From one connection to the next

  private passes(cause: TraxError): boolean {
    const { giveUpMs } = this.options.reconnect;
    if (giveUpMs === 0) return false;
    return cause instanceof ServerUnreachable || (cause instanceof SessionError && cause.retry);
  }

  private fail(error: TraxError): void {
    this.stop();
    this.events.failed(error);
  }

  private become(state: SessionState): void {
    if (this.state === state) return;
    this.state = state;
    this.events.state(state);
  }

  private release(): void {
    const impatient = this.impatient;
    this.impatient = [];
    for (const resolve of impatient) resolve();
  }
}
