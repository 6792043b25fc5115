/** The loudest sample of each of `count` stretches of a WAV file (16-bit mono), 0..1. */
export function peaksOf(wav: ArrayBuffer, count: number): Float32Array {
  const peaks = new Float32Array(count);
  const samples = new Int16Array(wav.slice(44, 44 + Math.floor((wav.byteLength - 44) / 2) * 2));
  const stretch = Math.max(1, Math.ceil(samples.length / count));
  for (let index = 0; index < samples.length; index++) {
    const bar = Math.floor(index / stretch);
    const value = Math.abs(samples[index] ?? 0) / 32_768;
    if (value > (peaks[bar] ?? 0)) peaks[bar] = value;
  }
  return peaks;
}
