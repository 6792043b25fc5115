/** A microphone of a browser: 16 kHz mono PCM, its level, and plain words for what goes wrong. */

import type { Batch } from "./capture.js";
import { MicrophoneError, type MicrophoneReason, type TraxError } from "./errors.js";
import { Listeners } from "./listeners.js";
import type { Session } from "./session.js";
import type { WorkletOptions } from "./worklet.js";

/** Which microphone, and how. */
export interface MicrophoneOptions {
  /** Of {@link Microphone.devices}; default: the system's choice. */
  readonly deviceId?: string;
  /** Take out what the loudspeakers say; default true. */
  readonly echoCancellation?: boolean;
  /** Default true. */
  readonly noiseSuppression?: boolean;
  /** Default true. */
  readonly autoGainControl?: boolean;
  /** Audio in one batch, default 100. */
  readonly batchMs?: number;
  /** How long there may be no signal at all before `error` says so, default 5000; 0: for ever. */
  readonly silentAfterMs?: number;
  /** Where the file `worklet.js` lies; default: beside this module, which bundlers understand. */
  readonly workletUrl?: string | URL;
}

/** How loud it is: 0..1 each. */
export interface Level {
  readonly rms: number;
  readonly peak: number;
}

/** What `Microphone.on` tells. */
export interface MicrophoneEvents {
  /** `pcm_s16le`, 16 kHz, mono: all that was heard, or silence while muted. */
  audio: Uint8Array<ArrayBuffer>;
  /** Of each batch, also while muted or paused. */
  level: Level;
  /** `silent` may pass; after any other nothing comes any more. */
  error: MicrophoneError;
  /** There is a signal again, after `silent`. */
  signal: undefined;
  /** Muted, paused, or neither. */
  state: MicrophoneState;
}

/** Whether it records; `muted` records silence, so that the session's clock goes on. */
export type MicrophoneState = "recording" | "muted" | "paused" | "closed";

/** A device to choose. */
export interface MicrophoneDevice {
  readonly id: string;
  /** Empty until the person has once allowed recording. */
  readonly label: string;
}

/** Of the sound that comes out. */
export const MICROPHONE_RATE = 16_000;

/** Below it a signal is none: less than one step of 16 bits. */
const NO_SIGNAL = 1 / 32_768;

/** A worklet that does not answer for so long has nothing more to give. */
const DRAIN_MS = 2_000;

/** Registered by `worklet.ts`, which runs elsewhere and must not be imported here. */
const PROCESSOR = "trax-microphone";

/** One open microphone; made by {@link Microphone.open}, which browsers want a click for. */
export class Microphone {
  private readonly listeners = new Listeners<MicrophoneEvents>();
  private current: MicrophoneState = "recording";
  private mutes = false;
  private pauses = false;
  private quietMs = 0;
  private silent = false;
  private closing: Promise<void> | null = null;

  private constructor(
    private readonly stream: MediaStream,
    private readonly track: MediaStreamTrack,
    private readonly context: AudioContext,
    private readonly node: AudioWorkletNode,
    private readonly silentAfterMs: number,
  ) {
    node.port.onmessage = (event: MessageEvent<Batch | null>) => {
      if (event.data !== null) this.take(event.data);
    };
    node.onprocessorerror = () => this.fail("unsupported", "the browser stopped the recording");
    track.addEventListener("ended", () =>
      this.fail("unplugged", "the microphone was unplugged, or recording is not allowed any more"),
    );
    // A phone call, say: browsers suspend the context, and it has to be asked to go on.
    context.addEventListener("statechange", () => {
      if (context.state === "running" || this.current === "closed") return;
      context.resume().catch(() => undefined); // not now: its next change asks again
    });
  }

  /**
   * Asks for a microphone and records from it.
   *
   * @throws {@link MicrophoneError} `denied`, `notFound`, `busy` or `unsupported`.
   */
  static async open(options: MicrophoneOptions = {}): Promise<Microphone> {
    if (!globalThis.navigator?.mediaDevices || !globalThis.AudioWorkletNode) {
      const hint = "a page of https: or of this machine, and a browser of today";
      throw new MicrophoneError("unsupported", `recording needs ${hint}`);
    }
    const stream = await record(options);
    let context: AudioContext | null = null;
    try {
      context = contextFor(stream);
      const node = await nodeFor(context, options);
      const [track] = stream.getAudioTracks();
      if (track === undefined) throw new MicrophoneError("notFound", "there is no microphone");
      // The node has no outputs: nothing is heard of it, and it runs all the same.
      context.createMediaStreamSource(stream).connect(node);
      await context.resume();
      return new Microphone(stream, track, context, node, options.silentAfterMs ?? 5_000);
    } catch (error) {
      for (const track of stream.getTracks()) track.stop();
      await context?.close();
      if (error instanceof MicrophoneError) throw error;
      throw new MicrophoneError("unsupported", "the browser opens no sound", { cause: error });
    }
  }

  /** The microphones that there are. */
  static async devices(): Promise<MicrophoneDevice[]> {
    const found = (await globalThis.navigator?.mediaDevices?.enumerateDevices()) ?? [];
    return found
      .filter(({ kind, deviceId }) => kind === "audioinput" && deviceId !== "")
      .map(({ deviceId, label }) => ({ id: deviceId, label }));
  }

  /** Calls whenever a device is plugged in or out; returns how to stop. */
  static onDevicesChanged(listener: () => void): () => void {
    const devices = globalThis.navigator?.mediaDevices;
    devices?.addEventListener("devicechange", listener);
    return () => devices?.removeEventListener("devicechange", listener);
  }

  /** Which microphone it is, in the system's words. */
  get label(): string {
    return this.track.label;
  }

  get deviceId(): string {
    return this.track.getSettings().deviceId ?? "";
  }

  /** What the browser granted of echo cancellation and the like. */
  get settings(): MediaTrackSettings {
    return this.track.getSettings();
  }

  get state(): MicrophoneState {
    return this.current;
  }

  /** Whether silence is recorded instead. */
  get muted(): boolean {
    return this.mutes;
  }

  set muted(muted: boolean) {
    this.mutes = muted;
    this.follow();
  }

  /** Whether nothing is recorded: the session's clock stands. */
  get paused(): boolean {
    return this.pauses;
  }

  set paused(paused: boolean) {
    this.pauses = paused;
    this.follow();
  }

  /** Listens from now on; returns how to stop. */
  on<K extends keyof MicrophoneEvents>(
    type: K,
    listener: (event: MicrophoneEvents[K]) => void,
  ): () => void {
    return this.listeners.on(type, listener);
  }

  /**
   * Sends all that is recorded to a session; returns how to stop.
   *
   * @param failed - Told why a piece was not taken: the session is over, or too much waits.
   */
  pipe(session: Session, failed?: (error: TraxError) => void): () => void {
    const stop = this.on("audio", (pcm) => {
      // Not awaited: a microphone cannot wait, and the session keeps what it takes.
      session.send(pcm).catch((error: TraxError) => {
        if (session.state === "ended") stop();
        failed?.(error);
      });
    });
    return stop;
  }

  /** Stops recording; what was recorded last still comes. */
  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  private async end(): Promise<void> {
    if (this.current === "closed") return;
    await this.drained();
    this.release();
  }

  private take(batch: Batch): void {
    if (this.current === "closed") return;
    this.listeners.tell("level", { rms: batch.rms, peak: batch.peak });
    this.listen(batch);
    if (this.current === "paused") return;
    const pcm = new Uint8Array(batch.pcm);
    if (this.current === "muted") pcm.fill(0);
    this.listeners.tell("audio", pcm);
  }

  /** Notices a microphone without a signal: switched off, or the wrong one. */
  private listen(batch: Batch): void {
    if (batch.peak >= NO_SIGNAL) {
      this.quietMs = 0;
      if (this.silent) this.listeners.tell("signal", undefined);
      this.silent = false;
      return;
    }
    this.quietMs += (batch.pcm.byteLength * 1000) / 2 / MICROPHONE_RATE;
    if (this.silent || this.silentAfterMs === 0 || this.quietMs < this.silentAfterMs) return;
    this.silent = true;
    const seconds = Math.round(this.quietMs / 1000);
    const told = `no signal from ${this.label || "the microphone"} for ${seconds} s`;
    this.listeners.tell("error", new MicrophoneError("silent", told));
  }

  private fail(reason: MicrophoneReason, message: string): void {
    if (this.current === "closed") return;
    this.release();
    this.listeners.tell("error", new MicrophoneError(reason, message));
  }

  /** Pausing hides being muted, and does not end it. */
  private follow(): void {
    this.become(this.pauses ? "paused" : this.mutes ? "muted" : "recording");
  }

  private become(state: MicrophoneState): void {
    if (this.current === "closed" || this.current === state) return;
    this.current = state;
    this.listeners.tell("state", state);
  }

  /** Waits until the worklet has given all that it has, also on a busy machine; not for ever. */
  private async drained(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, DRAIN_MS);
      this.node.port.onmessage = (event: MessageEvent<Batch | null>) => {
        if (event.data !== null) return this.take(event.data);
        clearTimeout(timer);
        resolve();
      };
      this.node.port.postMessage("close");
    });
  }

  private release(): void {
    this.become("closed");
    this.node.disconnect();
    for (const track of this.stream.getTracks()) track.stop();
    void this.context.close().catch(() => undefined); // closed already
  }
}

async function record(options: MicrophoneOptions): Promise<MediaStream> {
  const audio: MediaTrackConstraints = {
    channelCount: 1,
    echoCancellation: options.echoCancellation ?? true,
    noiseSuppression: options.noiseSuppression ?? true,
    autoGainControl: options.autoGainControl ?? true,
    ...(options.deviceId ? { deviceId: { exact: options.deviceId } } : {}),
  };
  try {
    return await navigator.mediaDevices.getUserMedia({ audio });
  } catch (error) {
    throw refusal(error);
  }
}

/** What the names of `getUserMedia`'s errors mean (Media Capture and Streams, section 10). */
const REFUSALS: Readonly<Record<string, readonly [MicrophoneReason, string]>> = {
  NotAllowedError: ["denied", "the person, the browser or the system does not allow recording"],
  SecurityError: ["denied", "recording is not allowed on this page"],
  NotFoundError: ["notFound", "there is no microphone"],
  OverconstrainedError: ["notFound", "the chosen microphone is not there"],
  NotReadableError: ["busy", "another program has the microphone, or it cannot be opened"],
  AbortError: ["busy", "the microphone cannot be opened"],
};

/** Why a browser gave no microphone. */
export function refusal(error: unknown): MicrophoneError {
  const name = error instanceof Error || error instanceof DOMException ? error.name : "";
  const known = Object.hasOwn(REFUSALS, name) ? REFUSALS[name] : undefined;
  const [reason, message] = known ?? ["unsupported", `the browser cannot record (${name})`];
  return new MicrophoneError(reason, message, { cause: error });
}

/** A context at our rate where the browser can, else at the microphone's: Firefox wants that. */
function contextFor(stream: MediaStream): AudioContext {
  try {
    const context = new AudioContext({ sampleRate: MICROPHONE_RATE, latencyHint: "interactive" });
    try {
      context.createMediaStreamSource(stream).disconnect();
      return context;
    } catch {
      void context.close();
    }
  } catch {
    // Refuses the rate itself; the worklet resamples.
  }
  return new AudioContext({ latencyHint: "interactive" });
}

async function nodeFor(
  context: AudioContext,
  options: MicrophoneOptions,
): Promise<AudioWorkletNode> {
  const url = options.workletUrl ?? new URL("./worklet.js", import.meta.url);
  try {
    await context.audioWorklet.addModule(String(url));
  } catch (error) {
    throw new MicrophoneError("unsupported", `the worklet expected at ${url}`, { cause: error });
  }
  const batchSamples = Math.round(((options.batchMs ?? 100) * MICROPHONE_RATE) / 1000);
  const processorOptions: WorkletOptions = { sampleRate: MICROPHONE_RATE, batchSamples };
  return new AudioWorkletNode(context, PROCESSOR, {
    numberOfInputs: 1,
    numberOfOutputs: 0,
    processorOptions,
  });
}
