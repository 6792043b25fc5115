/**
 * What can end a session before it is done, or keep a transcript from being read and edited.
 *
 *     TraxError
 *     ├── ServerUnreachable     no connection could be made at the start
 *     ├── ConnectionLost        it was lost, and could not be resumed in time
 *     ├── ProtocolViolation     the server said what the protocol does not allow
 *     ├── Overflow              so much audio waits for a connection that no more is kept
 *     ├── NotKept               this browser keeps no audio: nothing else ends
 *     ├── SessionTaken          another page goes on with a session that was left behind
 *     ├── EventsMissed          all audio arrived, but the session ended while nobody listened
 *     ├── NotSaved              the server may not have what was written into a transcript
 *     ├── SuggestionOutdated    the text is not what the suggestion is about any more
 *     ├── MicrophoneError       there is no sound: `reason` says why
 *     └── SessionError          the server ended the session or refused a request, and said why
 *         ├── Unauthorized      wrong or no token
 *         ├── Refused           it did not like what we sent or asked for
 *         │   ├── Forbidden     the token does not allow it: a viewer's link, say
 *         │   ├── NotFound      there is no such transcript, or no more
 *         │   └── EditsTooLarge what was written into a transcript is too much at once
 *         ├── SessionGone       it no longer knows the session, or another connection took it over
 *         ├── Unavailable       no room, or restarting: later may do
 *         └── ServerFailed      its own fault
 */

import type { ErrorMessage } from "./events.js";

/** Any error that this package throws on purpose, but for wrong arguments (`RangeError`). */
export class TraxError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** There is no connection: refused, unknown host, TLS, or not a Trax server. */
export class ServerUnreachable extends TraxError {
  /**
   * @param url - Where to, without the token.
   * @param reason - What the network said; browsers tell little.
   */
  constructor(
    readonly url: string,
    readonly reason: string,
  ) {
    super(`cannot reach ${url}: ${reason}`);
  }
}

/** The connection was lost and could not be resumed; `cause` says why the last try failed. */
export class ConnectionLost extends TraxError {
  /**
   * @param attempts - Connections tried.
   * @param unacknowledgedMs - Audio taken from the caller that the server may not have.
   */
  constructor(
    readonly attempts: number,
    readonly unacknowledgedMs: number,
    options?: ErrorOptions,
  ) {
    super(
      `the connection was lost and ${attempts} attempts to resume failed; ` +
        `${unacknowledgedMs} ms of audio may not have arrived`,
      options,
    );
  }
}

/** The server said what the protocol does not allow. */
export class ProtocolViolation extends TraxError {
  /**
   * @param expected - What would have been right.
   * @param got - What came; never text that was spoken.
   * @param field - The field at fault, or `null` when it is the frame or the moment.
   */
  constructor(
    readonly expected: string,
    readonly got: string,
    readonly field: string | null = null,
  ) {
    super(`${field ?? "server"}: expected ${expected}, got ${got}`);
  }
}

/** So much audio waits to be acknowledged that no more is kept; this piece was not taken. */
export class Overflow extends TraxError {
  /** @param limitMs - How much is kept (`ConnectOptions.keepMs`). */
  constructor(readonly limitMs: number) {
    super(`at most ${limitMs} ms of audio expected to wait for the server, got more`);
  }
}

/** Audio is not kept where a page that is closed finds it again: disk full, private window. */
export class NotKept extends TraxError {
  constructor(options?: ErrorOptions) {
    super(
      "this browser keeps no audio; what the server does not have is lost with the page",
      options,
    );
  }
}

/** What was left behind of a session is no more: another page goes on with it, or has sent it. */
export class SessionTaken extends TraxError {
  /** @param session - Its id. */
  constructor(readonly session: string) {
    super(`session ${session} expected to be left behind; another page has it, or has finished it`);
  }
}

/**
 * The server has all audio of the session, and finished it while there was no connection: nothing
 * that was said is lost, but events are, among them `done`. A transcript has what they told.
 */
export class EventsMissed extends TraxError {
  constructor(options?: ErrorOptions) {
    super("the session ended without us: all audio arrived, but its last events did not", options);
  }
}

/** A transcript was left before the server had confirmed all that was written. */
export class NotSaved extends TraxError {
  constructor() {
    super("the server could not be reached; what was written last may not have arrived");
  }
}

/** A suggestion cannot be accepted, because its text does not stand there any more. */
export class SuggestionOutdated extends TraxError {
  /** @param suggestion - Its id. */
  constructor(readonly suggestion: string) {
    super(
      `the text of suggestion ${suggestion} expected once in the transcript, as it was when ` +
        "that was made: it was edited since",
    );
  }
}

/** Why there is no sound. */
export type MicrophoneReason =
  /** The person, the browser or the page's policy does not allow it. */
  | "denied"
  /** There is no microphone, or not the one that was chosen. */
  | "notFound"
  /** Another program has it, or the system cannot open it. */
  | "busy"
  /** It was unplugged, or permission was taken back. */
  | "unplugged"
  /** It gives no signal at all: muted by a switch, or the wrong one. */
  | "silent"
  /** This browser or page cannot record: no secure context, no worklets. */
  | "unsupported";

/** There is no sound. */
export class MicrophoneError extends TraxError {
  constructor(
    readonly reason: MicrophoneReason,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The server ended the session, or refused a request. */
export class SessionError extends TraxError {
  /** The protocol's error code, such as `unsupported`; or `close 44xx` when only that came. */
  readonly code: string;
  /** The server's sentence for a person. */
  readonly reason: string;
  readonly expected: string;
  readonly got: string;
  /** Whether a later session may fare better. */
  readonly retry: boolean;
  /** Not before this long, where the server knows; else 0. */
  readonly retryAfterMs: number;

  constructor(error: Omit<ErrorMessage, "type">) {
    super(`${error.code}: ${error.message}: expected ${error.expected}, got ${error.got}`);
    this.code = error.code;
    this.reason = error.message;
    this.expected = error.expected;
    this.got = error.got;
    this.retry = error.retry;
    this.retryAfterMs = error.retryAfterMs ?? 0;
  }
}

/** Wrong or no token (`unauthorized`). */
export class Unauthorized extends SessionError {}

/** The server did not like what we sent or asked for (`unsupported`, `malformed` ...). */
export class Refused extends SessionError {}

/** The token does not allow it: a viewer's link does not write (`forbidden`). */
export class Forbidden extends Refused {}

/** There is none of that id, or no more (`unknown_transcript`, `not_found`). */
export class NotFound extends Refused {}

/**
 * More was written into a transcript than the server takes at once: without a network all of it
 * waits, and is sent as one update.
 *
 * The transcript is not synchronised any more. Where the browser keeps edits, it can be opened again
 * once some of them are undone or removed.
 */
export class EditsTooLarge extends Refused {}

/** The session cannot go on with this connection (`session_gone`, `replaced`). */
export class SessionGone extends SessionError {
  /** Whether another connection has it now, and all that was said. */
  get replaced(): boolean {
    return this.code === "replaced";
  }
}

/** No room, or restarting (`overloaded`, `restart`). */
export class Unavailable extends SessionError {}

/** The server's own fault (`internal_error`, `engine_failed`). */
export class ServerFailed extends SessionError {}

/** Whether the same may succeed later: the server was not there, or says so itself. */
export function isTemporary(
  error: unknown,
): error is ServerUnreachable | ConnectionLost | SessionError {
  if (error instanceof SessionError) return error.retry;
  return error instanceof ServerUnreachable || error instanceof ConnectionLost;
}

const CLASSES: Readonly<Record<string, typeof SessionError>> = {
  unauthorized: Unauthorized,
  forbidden: Forbidden,
  unknown_transcript: NotFound,
  not_found: NotFound,
  session_gone: SessionGone,
  replaced: SessionGone,
  overloaded: Unavailable,
  restart: Unavailable,
  unavailable: Unavailable,
  internal_error: ServerFailed,
  engine_failed: ServerFailed,
};

/** The exception for an `error` of the server; a code unknown to us is {@link Refused}. */
export function sessionError(error: Omit<ErrorMessage, "type">): SessionError {
  const named = Object.hasOwn(CLASSES, error.code) ? CLASSES[error.code] : undefined;
  return new (named ?? Refused)(error);
}
