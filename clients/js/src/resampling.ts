/**
 * Brings sound to another rate, block by block, with a proper low-pass.
 *
 * A windowed-sinc interpolator (Smith, "Digital Audio Resampling Home Page", CCRMA): each output
 * sample is the input around its moment, weighted by a sinc cut off below half of the lower of both
 * rates, under a Kaiser window. What lies above is attenuated by about 80 dB and does not fold back
 * into speech. Used in the worklet; pure, so that it can be tested with a real tone.
 */

/** Zero crossings of the sinc on either side. More make the filter steeper, and slower. */
const CROSSINGS = 24;

/** Of half the lower rate, how much passes; the rest is where the filter falls off. */
const PASS = 0.92;

/** Kaiser's beta for a stop band of about 80 dB (Oppenheim and Schafer, section 7.6). */
const BETA = 8;

/** Rows of the table of weights: moments between two input samples that are told apart. */
const PHASES = 512;

/** The modified Bessel function of the first kind, of order zero, by its power series. */
function bessel(x: number): number {
  let [sum, term] = [1, 1];
  for (let k = 1; term > 1e-12 * sum; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

/** Resamples one mono stream; owned by who feeds it. */
export class Resampler {
  /** Input samples on either side of a moment that count. */
  private readonly reach: number;
  private readonly table: Float32Array;
  private kept: Float32Array;
  /** Input samples before `kept`; counted from the first one, so negative at first. */
  private before: number;
  /** Output samples given. Their moments are computed from it exactly: nothing adds up. */
  private given = 0;

  /**
   * @param from - Rate of what comes.
   * @param to - Rate of what goes.
   */
  constructor(
    private readonly from: number,
    private readonly to: number,
  ) {
    const cutoff = PASS * Math.min(1, to / from);
    this.reach = Math.ceil(CROSSINGS / cutoff);
    this.table = weights(cutoff, this.reach);
    this.kept = new Float32Array(this.reach); // silence before the first sample
    this.before = -this.reach;
  }

  /** Takes samples in; returns those that can be told now. Output lags by half the filter. */
  push(input: Float32Array): Float32Array {
    const joined = new Float32Array(this.kept.length + input.length);
    joined.set(this.kept);
    joined.set(input, this.kept.length);
    const last = this.before + joined.length - this.reach - 1;
    const output: number[] = [];
    for (; this.whole <= last; this.given++) output.push(this.at(joined));
    const forgotten = Math.min(joined.length, Math.max(0, this.whole - this.reach - this.before));
    this.kept = joined.slice(forgotten);
    this.before += forgotten;
    return Float32Array.from(output);
  }

  /** Returns the rest, as if silence followed. */
  flush(): Float32Array {
    return this.push(new Float32Array(this.reach + 1));
  }

  /** The input sample at or before the moment of the next output sample. */
  private get whole(): number {
    return Math.floor((this.given * this.from) / this.to);
  }

  /** The next output sample. */
  private at(input: Float32Array): number {
    const between = (((this.given * this.from) % this.to) / this.to) * PHASES;
    const row = Math.floor(between);
    const part = between - row;
    const width = 2 * this.reach;
    const [low, high] = [row * width, (row + 1) * width];
    const first = this.whole - this.before - this.reach + 1;
    let sum = 0;
    for (let tap = 0; tap < width; tap++) {
      const below = this.table[low + tap] ?? 0;
      const weight = below + part * ((this.table[high + tap] ?? 0) - below);
      sum += weight * (input[first + tap] ?? 0);
    }
    return sum;
  }
}

/** Weights of the inputs around a moment, one row for each phase and one more to interpolate to. */
function weights(cutoff: number, reach: number): Float32Array {
  const width = 2 * reach;
  const table = new Float32Array((PHASES + 1) * width);
  for (let row = 0; row <= PHASES; row++) {
    for (let tap = 0; tap < width; tap++) {
      const distance = tap - reach + 1 - row / PHASES;
      const inside = 1 - (distance / reach) ** 2;
      if (inside <= 0) continue;
      const angle = Math.PI * cutoff * distance;
      const sinc = angle === 0 ? 1 : Math.sin(angle) / angle;
      table[row * width + tap] = (cutoff * sinc * bessel(BETA * Math.sqrt(inside))) / bessel(BETA);
    }
  }
  return table;
}
