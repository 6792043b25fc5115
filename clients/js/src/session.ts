/** `connect` and `Session`: what a program that transcribes speech uses. */

import { Address } from "./address.js";
import { Reconnect, type ReconnectOptions, sleep } from "./backoff.js";
import { Dialogue } from "./dialogue.js";
import { NotKept, Overflow, ServerUnreachable, SessionGone, TraxError } from "./errors.js";
import type {
  Correction,
  Done,
  Event,
  Final,
  Language,
  Partial,
  Ready,
  Speaker,
  SpeechStart,
  Stats,
  UtteranceEnd,
} from "./events.js";
import { Inbox, queue } from "./inbox.js";
import { Keeper } from "./keeping.js";
import { Library } from "./library.js";
import { Link, type Renewal, type SessionState } from "./link.js";
import { Listeners } from "./listeners.js";
import { type StartOptions, startOf } from "./requests.js";
import { type SocketClass, socketClass } from "./sockets.js";
import { canKeep } from "./store.js";
import { recordingOf } from "./wav.js";
import type { Subprotocol } from "./wire.js";

/** How to connect, and how the session is to be. */
export interface ConnectOptions extends StartOptions {
  /** Default: the URL's `?token=`. */
  readonly token?: string | null;
  /** How a lost connection is resumed; by default as long as that can succeed: see `renew`. */
  readonly reconnect?: ReconnectOptions;
  /** Default: msgpack. */
  readonly subprotocol?: Subprotocol;
  /** Where there is no global one, as in Node 20: that of `ws`, say. */
  readonly WebSocket?: SocketClass;
  /** Most audio that waits beyond the server's credit, default ten minutes; then `Overflow`. */
  readonly keepMs?: number;
  /** Keep audio in IndexedDB until it is acknowledged; default: where there is one. */
  readonly persist?: boolean;
  /**
   * Go on in a new session with all that the server does not have: where the old one is as long as
   * the server lets it be, or, if it speaks into a transcript, where the server knows it no more, after
   * a long outage; default: true.
   */
  readonly renew?: boolean;
  /**
   * When the first sample was recorded, as Unix time, if that was before this call: it places what is
   * said on the transcript's clock. Default: when the session begins.
   */
  readonly recordedMs?: number;
  /** Breaks off: the attempt to connect, or the session. */
  readonly signal?: AbortSignal;
}

/** What `Session.on` tells. */
export interface SessionEvents {
  /** A connection stands: the first, and each one after a loss; `resumed` tells a new session. */
  ready: Ready;
  speechStart: SpeechStart;
  partial: Partial;
  final: Final;
  speaker: Speaker;
  utteranceEnd: UtteranceEnd;
  correction: Correction;
  language: Language;
  stats: Stats;
  /** The last one of a session that is complete. */
  done: Done;
  /** The last one of any other. */
  error: TraxError;
  state: SessionState;
  /** Audio is not kept for the next page any more; told once, and the session goes on. */
  unkept: NotKept;
}

/** Where a session is now. */
export interface SessionStats {
  /** Audio taken from the caller. */
  readonly takenMs: number;
  /** Of it, stored by the server, which survives a crash there. */
  readonly acknowledgedMs: number;
  /** Of it, heard by the models, as last reported. */
  readonly processedMs: number;
  /** How far hearing is behind what the server received, as last reported. */
  readonly lagMs: number;
  /** How many connections were lost and resumed. */
  readonly reconnections: number;
}

/** What waits for somebody to listen. */
interface Held {
  readonly type: string;
  readonly deliver: () => void;
}

const KEEP_MS = 600_000;

/** How often it is asked whether a session is finished, and between. */
const MOST_ASKED = 120;
const ASK_MS = 500;

/**
 * One session, made by {@link connect}: send audio, and listen to what was said.
 *
 * Events come to listeners and to iterations, to each of them. They wait for the first of either;
 * from then on, who comes late misses what was before. Once begun, a session survives lost
 * connections and restarts of the server: audio is kept until it is acknowledged and sent again.
 */
export class Session implements AsyncIterable<Event> {
  /** Resolves when the session is done; rejects with why it ended before. */
  readonly finished: Promise<Done>;
  private readonly listeners = new Listeners<SessionEvents>();
  private readonly inboxes = new Set<Inbox>();
  private readonly link: Link;
  /** Told when somebody listens; `null` once somebody does. */
  private held: Held[] | null = [];
  private failure: TraxError | null = null;
  private over = false;
  private keeper: Keeper | null = null;

  /** @internal Use {@link connect}. */
  constructor(
    private readonly dialogue: Dialogue,
    options: ConnectOptions & { address: Address },
  ) {
    this.keepMs = options.keepMs ?? KEEP_MS;
    this.link = new Link(
      dialogue,
      {
        address: options.address,
        reconnect: new Reconnect(options.reconnect),
        subprotocol: options.subprotocol ?? "trax.v1.msgpack",
        WebSocket: socketClass(options.WebSocket),
        renewal: options.renew === false ? null : renewalOf(options.address, this.keepMs),
      },
      {
        ready: (ready) => {
          this.keeper?.begin(ready, this.dialogue.outbox.kept);
          this.tell("ready", ready);
        },
        event: (event) => this.deliver(event),
        acknowledged: (samples) => this.keeper?.acknowledge(samples),
        state: (state) => this.tell("state", state),
      },
    );
    this.finished = new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
    });
    // Whoever cares asks for it; the others are told by `error`, or by `send`.
    this.finished.catch(() => undefined);
  }

  private readonly keepMs: number;
  private settle!: { resolve: (done: Done) => void; reject: (error: TraxError) => void };

  /** @internal */
  async open(keeper: Keeper | null, signal: AbortSignal | undefined): Promise<void> {
    this.keeper = keeper;
    keeper?.onFailure((cause) => this.tell("unkept", new NotKept({ cause })));
    signal?.addEventListener("abort", () => void this.close(), { once: true });
    try {
      signal?.throwIfAborted();
      await this.link.open();
      signal?.throwIfAborted();
    } catch (error) {
      await this.leaveKept(error);
      signal?.throwIfAborted();
      throw error;
    }
    void this.carry();
  }

  /** What the session is: id, settings as granted, limits, models. */
  get info(): Ready {
    if (this.dialogue.info === null) throw new RangeError("connect() waits for `ready`");
    return this.dialogue.info;
  }

  /** Id of the transcript that the session speaks into, also of a new one; `null` without. */
  get transcript(): string | null {
    return this.info.transcript;
  }

  get state(): SessionState {
    return this.link.state;
  }

  get stats(): SessionStats {
    const { outbox, stats, start, before } = this.dialogue;
    const ms = (samples: number) => Math.floor((samples * 1000) / start.sampleRate);
    return {
      takenMs: ms(before + outbox.end),
      acknowledgedMs: ms(before + outbox.base),
      processedMs: stats?.processedMs ?? 0,
      lagMs: stats?.lagMs ?? 0,
      reconnections: this.link.reconnections,
    };
  }

  /**
   * What the server may not have, as a WAV file: to be saved where a session failed that was not kept
   * (`unkept`). Of one that was, it is among the `pendingSessions`.
   */
  unsent(): Blob {
    return recordingOf(this.dialogue.start, this.dialogue.outbox.kept);
  }

  /** Listens to events of a type; returns how to stop. */
  on<K extends keyof SessionEvents>(
    type: K,
    listener: (event: SessionEvents[K]) => void,
  ): () => void {
    const stop = this.listeners.on(type, listener);
    // All that are added in one go hear what was held back.
    if (this.held !== null) queueMicrotask(() => this.letGo());
    return stop;
  }

  /**
   * Iterates over the events, to the end: after `done`, or by throwing why there is none.
   *
   * Of `partial` and `stats` that nobody has read yet only the newest is kept.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Event> {
    const inbox = new Inbox((left) => this.inboxes.delete(left));
    this.inboxes.add(inbox);
    this.letGo();
    return inbox;
  }

  /**
   * Sends audio, copied at once; waits while the server has no room for it.
   *
   * A caller that cannot wait, such as a microphone, need not: what is taken is kept and sent.
   *
   * @param pcm - Bytes in the session's encoding, any number of them.
   * @throws RangeError after `end`.
   * @throws {@link Overflow} if `keepMs` of audio wait already: this piece is not taken.
   * @throws {@link TraxError} if the session has ended, or ends while it waits.
   */
  async send(pcm: ArrayBuffer | ArrayBufferView): Promise<void> {
    const { outbox } = this.dialogue;
    if (outbox.ended) throw new RangeError("no send() after end() expected");
    this.throwIfOver();
    const bytes = ArrayBuffer.isView(pcm)
      ? new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength)
      : new Uint8Array(pcm);
    if (!outbox.hasRoom && this.dialogue.unacknowledgedMs >= this.keepMs) {
      throw new Overflow(this.keepMs);
    }
    const piece = outbox.put(bytes, Date.now());
    if (piece !== null) this.keeper?.append(piece);
    this.link.wake();
    if (!outbox.hasRoom) {
      await this.link.waitForRoom();
      if (!outbox.hasRoom) this.throwIfOver();
    }
  }

  /** Makes everything sent so far final now, without waiting for a pause. */
  finalize(): void {
    this.throwIfOver();
    this.dialogue.outbox.finalize();
    this.link.wake();
  }

  /** Says that no more audio follows; what is left is heard, then comes `done`. */
  end(): void {
    if (this.dialogue.outbox.ended) return;
    this.dialogue.outbox.finish();
    this.keeper?.end();
    this.link.wake();
  }

  /** Breaks off. The server finishes a session that nobody comes back to. */
  async close(): Promise<void> {
    this.link.stop();
    await this.finished.catch(() => undefined);
  }

  private async carry(): Promise<void> {
    try {
      await this.link.run();
    } catch (error) {
      // Whatever it was, nobody may wait for ever.
      const broken = "the session ended by a mistake of this package";
      this.failure = error instanceof TraxError ? error : new TraxError(broken, { cause: error });
    }
    this.over = true;
    const { done } = this.dialogue;
    await this.leaveKept(this.failure);
    for (const inbox of this.inboxes) inbox.close(this.failure);
    if (done !== null) this.settle.resolve(done);
    else {
      const broken = this.failure ?? new TraxError("the session was broken off");
      this.settle.reject(broken);
      if (this.failure !== null) this.tell("error", this.failure);
    }
  }

  /** Leaves what may not have arrived to whoever comes next, and forgets all else. */
  private async leaveKept(failure: unknown): Promise<void> {
    const unsent = failure !== null && this.dialogue.unacknowledgedMs > 0;
    // Another page goes on with all of it.
    const replaced = failure instanceof SessionGone && failure.replaced;
    if (unsent || replaced) await this.keeper?.close();
    else await this.keeper?.forget();
  }

  private deliver(event: Event): void {
    this.letGoOr(event.type, () => {
      for (const inbox of this.inboxes) inbox.put(event);
      this.listeners.tell(event.type, event as never);
    });
  }

  private tell<K extends keyof SessionEvents>(type: K, event: SessionEvents[K]): void {
    this.letGoOr(type, () => this.listeners.tell(type, event));
  }

  private letGoOr(type: string, deliver: () => void): void {
    if (this.held === null) deliver();
    else queue(this.held, { type, deliver });
  }

  private letGo(): void {
    const held = this.held ?? [];
    this.held = null;
    for (const { deliver } of held) deliver();
    if (this.over) for (const inbox of this.inboxes) inbox.close(this.failure);
  }

  private throwIfOver(): void {
    if (this.link.state !== "ended") return;
    throw this.failure ?? new TraxError("a session that goes on expected, but it is over");
  }
}

/**
 * Connects to a server and begins a session.
 *
 * One attempt is made: nothing is lost yet.
 *
 * @param url - The URL that the server prints, token and all; in a browser also `"/"`.
 * @throws RangeError on a URL that is none.
 * @throws {@link ServerUnreachable} if there is no connection.
 * @throws {@link SessionError} if the server refuses: wrong token, unsupported option, no room.
 */
export async function connect(url: string | URL, options: ConnectOptions = {}): Promise<Session> {
  const address = Address.of(url, options.token);
  const { recordedMs, renew: renews } = options;
  const dialogue = new Dialogue(startOf(options), { recordedMs, renews });
  const session = new Session(dialogue, { ...options, address });
  const keeper =
    (options.persist ?? canKeep()) ? await Keeper.open(dialogue.start, address.api("/")) : null;
  await session.open(keeper, options.signal);
  return session;
}

/** Asks over HTTP how much of a session arrived. */
function renewalOf(address: Address, patienceMs: number): Renewal {
  const library = new Library(address.api("/"), { token: address.token });
  return {
    patienceMs,
    async storedMs(session, transcript, signal) {
      for (let asked = 0; asked < MOST_ASKED && !signal.aborted; asked++) {
        const { sessions } = await library.get(transcript);
        const found = sessions.find(({ id }) => id === session);
        if (!found?.live) return found?.durationMs ?? 0;
        await sleep(ASK_MS, signal); // what it had received is still being heard
      }
      throw new ServerUnreachable(address.api("/v1/stream"), "it does not finish the session");
    },
  };
}
