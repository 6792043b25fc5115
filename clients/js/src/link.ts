/**
 * Carries one session over as many connections as it takes.
 *
 * `Link` is the only part of a session that knows sockets: it opens them, passes messages between
 * them and the session's `Dialogue`, and opens another when one is lost.
 */

import type { Address } from "./address.js";
import { type Reconnect, sleep } from "./backoff.js";
import type { Dialogue } from "./dialogue.js";
import {
  ConnectionLost,
  EventsMissed,
  isTemporary,
  ProtocolViolation,
  ServerUnreachable,
  SessionError,
  SessionGone,
  sessionError,
  TraxError,
} from "./errors.js";
import type { Event, Ready } from "./events.js";
import { isFinal, LOST, Socket, type SocketClass, watchNetwork } from "./sockets.js";
import { decode, encode, type Frame, type Subprotocol } from "./wire.js";

/** How a session stands. */
export type SessionState = "connecting" | "live" | "reconnecting" | "ended";

/** Silence of a server after which it is asked whether it is there. */
const ASK_MS = 5_000;

/** Silence of a server after which the connection counts as lost. */
const DEAD_MS = 15_000;

/** A stretch of time in which the session gets nowhere: one trouble, however many connections. */
interface Trouble {
  readonly since: number;
  attempts: number;
}

/** How a session into which the server takes no more goes on in a new one. */
export interface Renewal {
  /** How long it may be tried. */
  readonly patienceMs: number;
  /** How much of a session the server has; 0 where it does not know. */
  storedMs(session: string, transcript: string, signal: AbortSignal): Promise<number>;
}

/** What is told of the connections. */
export interface LinkEvents {
  ready(ready: Ready): void;
  event(event: Event): void;
  acknowledged(samples: number): void;
  state(state: SessionState): void;
}

/** How it may end: by `done`, with the connection, or with the server's session. */
type Outcome = { done: true } | Lost | { failed: TraxError };
type Lost = { lost: TraxError; retryAfterMs: number };

/** What a link needs to know besides the session. */
export interface LinkOptions {
  readonly address: Address;
  readonly reconnect: Reconnect;
  readonly subprotocol: Subprotocol;
  readonly WebSocket: SocketClass;
  /** `null`: it ends with the server's session. */
  readonly renewal: Renewal | null;
}

/** The connections of one session; owned by it. */
export class Link {
  /** How many connections were lost and resumed. */
  reconnections = 0;
  state: SessionState = "connecting";
  private readonly stopped = new AbortController();
  private napping = new AbortController();
  private connection: Connection | null = null;
  private trouble: Trouble | null = null;
  private waiting: (() => void)[] = [];
  private unwatch: () => void = () => undefined;

  constructor(
    private readonly dialogue: Dialogue,
    private readonly options: LinkOptions,
    private readonly events: LinkEvents,
  ) {}

  /** Makes the first connection and waits until the session is ready: one attempt. */
  async open(): Promise<void> {
    this.unwatch = watchNetwork((online) => {
      if (online) this.napping.abort();
      else this.connection?.drop("the network is gone");
    });
    try {
      await this.connect();
    } catch (error) {
      this.stop();
      throw error;
    }
  }

  /** Carries the session until it is done, or throws why it cannot go on. Once, after `open`. */
  async run(): Promise<void> {
    try {
      while (this.connection !== null) {
        const outcome = await this.connection.over;
        if (this.dialogue.done !== null || this.stopped.signal.aborted) return;
        if ("failed" in outcome) throw outcome.failed;
        const lost = "lost" in outcome ? outcome : await this.follow();
        if (lost === null) continue;
        this.settle(this.connection);
        await this.resume(lost.lost, lost.retryAfterMs);
      }
    } finally {
      this.stop();
    }
  }

  /** Breaks off; the server keeps an unfinished session a while. */
  stop(): void {
    if (this.stopped.signal.aborted) return;
    this.stopped.abort();
    this.napping.abort();
    this.unwatch();
    this.connection?.close();
    this.become("ended");
    this.release();
  }

  /** Sends what there is to send: the caller put it in the outbox. */
  wake(): void {
    this.connection?.pump();
  }

  /** Waits until all that was put in the outbox may be sent, or nothing will be any more. */
  async waitForRoom(): Promise<void> {
    while (!this.dialogue.outbox.hasRoom && !this.stopped.signal.aborted) {
      await new Promise<void>((resolve) => {
        this.waiting.push(resolve);
      });
    }
  }

  private async connect(): Promise<void> {
    try {
      await this.attempt();
    } catch (error) {
      if (!(await this.renews(error))) throw error;
      await this.attempt();
    }
  }

  /**
   * Whether the session goes on in a new one, because the server knows it no more.
   *
   * @throws {@link EventsMissed} if there is nothing left to go on with.
   */
  private async renews(error: unknown): Promise<boolean> {
    const { renewal } = this.options;
    const { last, outbox, start } = this.dialogue;
    // If another connection took it over, that one has all of it.
    if (!(error instanceof SessionGone) || error.replaced) return false;
    if (renewal !== null && last?.transcript) {
      const ms = await renewal.storedMs(last.session, last.transcript, this.stopped.signal);
      const renews = this.dialogue.renew(Math.floor((ms * start.sampleRate) / 1000));
      this.events.acknowledged(outbox.base);
      if (renews) return true;
    }
    if (this.dialogue.arrived) throw new EventsMissed({ cause: error });
    return false;
  }

  /**
   * Goes on in a new session, at once after one that was full.
   *
   * @returns How that went wrong, if it may go better later.
   */
  private async follow(): Promise<Lost | null> {
    try {
      await this.attempt();
      return null;
    } catch (error) {
      const outcome = outcomeOf(error);
      if ("lost" in outcome) return outcome;
      throw error;
    }
  }

  private async attempt(): Promise<void> {
    if (this.stopped.signal.aborted) return;
    const connection = new Connection(this.dialogue, this.options, {
      ...this.events,
      acknowledged: (samples) => {
        this.events.acknowledged(samples);
        this.release();
      },
    });
    const abandon = () => connection.close();
    this.stopped.signal.addEventListener("abort", abandon);
    try {
      await connection.greeted;
    } finally {
      this.stopped.signal.removeEventListener("abort", abandon);
    }
    this.connection = connection;
    this.become("live");
    connection.pump();
    this.release();
  }

  /** Forgets the trouble, if a connection got somewhere. */
  private settle(connection: Connection): void {
    if (connection.gotSomewhere || connection.ageMs > this.options.reconnect.longestMs) {
      this.trouble = null;
    }
    this.connection = null;
    this.become("reconnecting");
  }

  /** Connects again, as often and as long as `Reconnect` says. */
  private async resume(cause: TraxError, retryAfterMs: number): Promise<void> {
    this.trouble ??= { since: performance.now(), attempts: 0 };
    const trouble = this.trouble;
    let [lost, least] = [cause, retryAfterMs];
    while (!this.stopped.signal.aborted) {
      const delayMs = Math.max(this.options.reconnect.delayMs(trouble.attempts), least);
      const lateMs = performance.now() + delayMs - trouble.since - this.patienceMs;
      // After a sleep of the machine, one try is due all the same.
      if (lateMs >= 0 && (trouble.attempts > 0 || this.patienceMs === 0)) {
        throw new ConnectionLost(trouble.attempts, this.dialogue.unacknowledgedMs, { cause: lost });
      }
      this.napping = new AbortController();
      if (this.stopped.signal.aborted) return;
      await sleep(delayMs, this.napping.signal);
      if (this.stopped.signal.aborted) return;
      trouble.attempts += 1;
      try {
        await this.connect();
        this.reconnections += 1;
        return;
      } catch (error) {
        const outcome = outcomeOf(error);
        if (!("lost" in outcome)) throw error;
        [lost, least] = [outcome.lost, outcome.retryAfterMs];
      }
    }
  }

  private get patienceMs(): number {
    const { reconnect, renewal } = this.options;
    const resumeMs = this.dialogue.info?.limits.resumeMs ?? 0;
    const renewMs = this.dialogue.last?.transcript ? (renewal?.patienceMs ?? 0) : 0;
    return reconnect.giveUpMs ?? Math.max(resumeMs, renewMs);
  }

  private become(state: SessionState): void {
    if (this.state === state || this.state === "ended") return;
    this.state = state;
    this.events.state(state);
  }

  private release(): void {
    const waiting = this.waiting;
    this.waiting = [];
    for (const resolve of waiting) resolve();
  }
}

/** One connection, from the opening of its socket to its end. */
class Connection {
  /** Settles when `ready` came, or rejects with why it did not. */
  readonly greeted: Promise<void>;
  /** Settles when a connection that was greeted has ended. */
  readonly over: Promise<Outcome>;
  private readonly startedAt = performance.now();
  private readonly progress: number;
  private readonly socket: Socket;
  private sentAt = performance.now();
  private pings = 0;
  private outcome: Outcome | null = null;
  private timer: ReturnType<typeof setTimeout>;
  private welcome!: () => void;
  private refuse!: (error: TraxError) => void;
  private finish!: (outcome: Outcome) => void;

  constructor(
    private readonly dialogue: Dialogue,
    private readonly options: LinkOptions,
    private readonly events: Omit<LinkEvents, "state">,
  ) {
    this.greeted = new Promise((resolve, reject) => {
      this.welcome = resolve;
      this.refuse = reject;
    });
    this.over = new Promise((resolve) => {
      this.finish = resolve;
    });
    this.progress = dialogue.progress;
    const { address, subprotocol } = options;
    this.socket = new Socket(
      options.WebSocket,
      address.stream,
      address.api("/v1/stream"),
      [subprotocol],
      {
        opened: () => this.greet(),
        received: (frame) => this.take(frame),
        closed: (code, reason) => this.end(this.outcome ?? outcomeOf(this.why(code, reason))),
      },
    );
    this.timer = setTimeout(() => this.drop("it does not answer"), options.reconnect.handshakeMs);
  }

  get gotSomewhere(): boolean {
    return this.dialogue.progress > this.progress;
  }

  get ageMs(): number {
    return performance.now() - this.startedAt;
  }

  /** Sends all that may be sent. */
  pump(): void {
    for (let next = this.dialogue.nextMessage(); next; next = this.dialogue.nextMessage()) {
      this.send(encode(next, this.options.subprotocol));
    }
  }

  /** Gives the connection up as lost. */
  drop(reason: string): void {
    this.outcome ??= outcomeOf(
      new ServerUnreachable(this.options.address.api("/v1/stream"), reason),
    );
    this.socket.close(LOST);
  }

  /** Closes for good. */
  close(): void {
    this.socket.close(this.dialogue.done === null ? 1001 : 1000);
  }

  private greet(): void {
    if (this.socket.protocol !== this.options.subprotocol) {
      const got = this.socket.protocol || "none";
      this.fail(new ProtocolViolation(this.options.subprotocol, got, "subprotocol"));
      return;
    }
    this.send(encode(this.dialogue.opening(Date.now()), this.options.subprotocol));
  }

  private take(frame: Frame): void {
    try {
      const message = decode(frame, this.options.subprotocol);
      if (message === null) return;
      if (message.type === "error") throw sessionError(message);
      const event = this.dialogue.receive(message);
      if (event !== null) this.events.event(event);
      if (message.type === "ready") this.begin(message);
      if (message.type === "ack") {
        this.events.acknowledged(message.samples);
        this.pump();
      }
      if (message.type === "done") {
        this.events.acknowledged(this.dialogue.outbox.base);
        this.outcome = { done: true };
        this.socket.close(1000);
      }
    } catch (error) {
      if (!(error instanceof TraxError)) throw error;
      this.fail(error);
    }
  }

  private begin(ready: Ready): void {
    clearTimeout(this.timer);
    const everyMs = Math.max(100, Math.min(ready.limits.idleMs / 3, ASK_MS) / 2);
    this.timer = setInterval(() => this.attend(ready.limits.idleMs / 3), everyMs);
    this.events.ready(ready);
    this.welcome();
  }

  /** Sends a ping where both are silent, and notices a server that is gone. */
  private attend(quietMs: number): void {
    const now = performance.now();
    const heardMs = now - this.socket.receivedAt;
    if (heardMs > DEAD_MS) this.drop("nothing comes any more");
    else if (now - this.sentAt >= quietMs / 2 || heardMs >= ASK_MS) {
      this.send(encode({ type: "ping", id: this.pings++ }, this.options.subprotocol));
    }
  }

  private send(frame: Frame): void {
    this.sentAt = performance.now();
    this.socket.send(frame);
  }

  private fail(error: TraxError): void {
    this.outcome = outcomeOf(error);
    this.socket.close(1000);
  }

  private why(code: number, reason: string): TraxError {
    if (!isFinal(code)) {
      const told = reason ? `${code}, ${reason}` : `${code}`;
      const url = this.options.address.api("/v1/stream");
      return new ServerUnreachable(url, `connection closed: ${told}`);
    }
    const message = reason || "the server gave no reason";
    const told = { code: `close ${code}`, message, expected: "", got: "" };
    return sessionError({ ...told, retry: false, retryAfterMs: null });
  }

  private end(outcome: Outcome): void {
    clearTimeout(this.timer);
    clearInterval(this.timer);
    if ("failed" in outcome) this.refuse(outcome.failed);
    if ("lost" in outcome) this.refuse(outcome.lost);
    // Nobody waits for it any more, if it was greeted.
    this.greeted.catch(() => undefined);
    this.finish(outcome);
  }
}

/** Tells whether an error costs the connection or the session. */
function outcomeOf(error: unknown): Outcome {
  if (!(error instanceof TraxError)) throw error;
  if (!isTemporary(error)) return { failed: error };
  return { lost: error, retryAfterMs: error instanceof SessionError ? error.retryAfterMs : 0 };
}
