/**
 * The microphone's AudioWorklet processor. `build.js` makes one file of it and what it imports:
 * under a strict Content-Security-Policy (`script-src 'self'`) it can be loaded from nowhere else.
 */

import { Capture } from "./capture.js";

/** What the processor is told when it is made. */
export interface WorkletOptions {
  /** Of the samples that it gives. */
  readonly sampleRate: number;
  /** Samples in a batch. */
  readonly batchSamples: number;
}

/** By which the processor is known. */
export const PROCESSOR = "trax-microphone";

// Of AudioWorkletGlobalScope, which the DOM's types do not declare.
declare const sampleRate: number;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(
  name: string,
  processor: new (options: { processorOptions: WorkletOptions }) => AudioWorkletProcessor,
): void;

class MicrophoneProcessor extends AudioWorkletProcessor {
  private readonly capture: Capture;
  private closed = false;

  constructor(options: { processorOptions: WorkletOptions }) {
    super();
    const { sampleRate: to, batchSamples } = options.processorOptions;
    this.capture = new Capture(sampleRate, to, batchSamples);
    this.port.onmessage = () => {
      const rest = this.capture.flush();
      if (rest !== null) this.port.postMessage(rest, [rest.pcm]);
      this.port.postMessage(null);
      this.closed = true;
    };
  }

  /** Called by the browser with 128 samples at a time. */
  process(inputs: Float32Array[][]): boolean {
    for (const batch of this.capture.push(inputs[0] ?? [])) {
      this.port.postMessage(batch, [batch.pcm]);
    }
    return !this.closed;
  }
}

registerProcessor(PROCESSOR, MicrophoneProcessor);
