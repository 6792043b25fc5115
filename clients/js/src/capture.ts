/**
 * What the worklet does with sound, without the worklet: blocks of 128 samples at any rate and with
 * any number of channels become batches of 16-bit samples at the session's rate, with their level.
 */

import { Resampler } from "./resampling.js";

/** One batch of a microphone. */
export interface Batch {
  /** `pcm_s16le`, mono. */
  readonly pcm: ArrayBuffer;
  /** Root of the mean square, 0..1. */
  readonly rms: number;
  /** Largest magnitude, 0..1. */
  readonly peak: number;
}

/** Collects the sound of one microphone; owned by its worklet. */
export class Capture {
  private readonly resampler: Resampler | null;
  private batch: Int16Array<ArrayBuffer>;
  private filled = 0;
  private squares = 0;
  private peak = 0;

  /**
   * @param from - Rate of what comes.
   * @param to - Rate of what goes.
   * @param batchSamples - Of what goes, in one batch.
   */
  constructor(
    from: number,
    to: number,
    private readonly batchSamples: number,
  ) {
    this.resampler = from === to ? null : new Resampler(from, to);
    this.batch = new Int16Array(batchSamples);
  }

  /** Takes a block in; returns the batches that are full now. */
  push(channels: readonly Float32Array[]): Batch[] {
    const mono = mix(channels);
    const samples = this.resampler === null ? mono : this.resampler.push(mono);
    const batches: Batch[] = [];
    for (const sample of samples) {
      const held = Math.max(-1, Math.min(1, sample));
      this.batch[this.filled++] = Math.round(held * 32_767);
      this.squares += held * held;
      this.peak = Math.max(this.peak, Math.abs(held));
      if (this.filled === this.batchSamples) batches.push(this.take());
    }
    return batches;
  }

  /** Returns what is collected, if anything is. */
  flush(): Batch | null {
    return this.filled === 0 ? null : this.take();
  }

  private take(): Batch {
    const samples = this.batch.slice(0, this.filled);
    const rms = Math.sqrt(this.squares / this.filled);
    const batch = { pcm: samples.buffer, rms, peak: this.peak };
    [this.filled, this.squares, this.peak] = [0, 0, 0];
    return batch;
  }
}

/** The mean of all channels. */
function mix(channels: readonly Float32Array[]): Float32Array {
  const [first, ...others] = channels;
  if (first === undefined || others.length === 0) return first ?? new Float32Array(0);
  return first.map((sample, index) => {
    const sum = others.reduce((total, channel) => total + (channel[index] ?? 0), sample);
    return sum / channels.length;
  });
}
