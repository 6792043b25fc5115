/** WebSockets as the rest of the package uses them, in browsers and in Node. */

import { ServerUnreachable } from "./errors.js";

/** What is used of a WebSocket; the global one and that of `ws` fit. */
export interface SocketLike {
  binaryType: string;
  readonly readyState: number;
  readonly protocol: string;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
  // biome-ignore lint/suspicious/noExplicitAny: the two libraries type their events differently
  addEventListener(type: any, listener: (event: any) => void): void;
}

/** A constructor of WebSockets. */
export type SocketClass = new (url: string, protocols?: string[]) => SocketLike;

/** Closed by the server for good, whatever it said. */
export function isFinal(code: number): boolean {
  return code === 1009 || (4400 <= code && code <= 4499);
}

/** Of a socket that was lost without a word. */
export const LOST = 1006;

const OPEN = 1;

/** The constructor that was given, else the global one. */
export function socketClass(given: SocketClass | undefined): SocketClass {
  const found = given ?? (globalThis.WebSocket as unknown as SocketClass | undefined);
  if (found === undefined) {
    throw new RangeError("a global WebSocket expected, or the option WebSocket (from `ws`, say)");
  }
  return found;
}

/** What is told of a socket; nothing any more after `closed`, which comes once. */
export interface SocketEvents {
  opened(): void;
  received(frame: string | Uint8Array<ArrayBuffer>): void;
  closed(code: number, reason: string): void;
}

/** One WebSocket that is over the moment it is closed, whatever the network does. */
export class Socket {
  /** When something last came, by `performance.now()`. */
  receivedAt = performance.now();
  private readonly socket: SocketLike;
  private over = false;

  /**
   * @param url - With the token.
   * @param address - Without it, for errors.
   * @throws {@link ServerUnreachable} where the browser refuses even to try.
   */
  constructor(
    make: SocketClass,
    url: string,
    address: string,
    protocols: string[],
    private readonly events: SocketEvents,
  ) {
    try {
      this.socket = new make(url, protocols);
    } catch (error) {
      throw new ServerUnreachable(address, error instanceof Error ? error.name : "refused");
    }
    this.socket.binaryType = "arraybuffer";
    this.socket.addEventListener("open", () => this.over || events.opened());
    this.socket.addEventListener("message", (event: { data: string | ArrayBuffer }) => {
      if (this.over) return;
      this.receivedAt = performance.now();
      events.received(typeof event.data === "string" ? event.data : new Uint8Array(event.data));
    });
    // `close` follows, and says as much.
    this.socket.addEventListener("error", () => undefined);
    this.socket.addEventListener("close", (event: { code: number; reason: string }) => {
      this.end(event.code, String(event.reason));
    });
  }

  get protocol(): string {
    return this.socket.protocol;
  }

  /** Sends a frame, unless the socket is closed: then its end is told anyway. */
  send(frame: string | Uint8Array<ArrayBuffer>): void {
    if (!this.over && this.socket.readyState === OPEN) this.socket.send(frame);
  }

  /** Closes, and tells so at once: a network that is gone would keep us waiting. */
  close(code: number, reason = ""): void {
    if (this.over) return;
    // A page may only send these; anything else is ours alone.
    const sent = code === 1000 || (3000 <= code && code <= 4999) ? code : undefined;
    this.socket.close(sent);
    this.end(code, reason);
  }

  private end(code: number, reason: string): void {
    if (this.over) return;
    this.over = true;
    this.events.closed(code, reason);
  }
}

/**
 * Calls when the browser says that the network came back, or went; returns how to stop.
 *
 * A socket whose network is gone may seem open for minutes.
 */
export function watchNetwork(changed: (online: boolean) => void): () => void {
  if (typeof globalThis.addEventListener !== "function") return () => undefined;
  const online = () => changed(true);
  const offline = () => changed(false);
  globalThis.addEventListener("online", online);
  globalThis.addEventListener("offline", offline);
  return () => {
    globalThis.removeEventListener("online", online);
    globalThis.removeEventListener("offline", offline);
  };
}
