/** WAV files. */

import type { Piece } from "./outbox.js";
import { type Encoding, SAMPLE_BYTES, type Start } from "./requests.js";

const PCM = 1;
const FLOAT = 3;
const HEADER_BYTES = 44;

/** A mono WAV file of some audio. */
export function wav(
  pieces: readonly Uint8Array[],
  sampleRate: number,
  encoding: Encoding,
): Uint8Array<ArrayBuffer> {
  const sizeBytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const file = new Uint8Array(HEADER_BYTES + sizeBytes);
  const view = new DataView(file.buffer);
  const sampleBytes = SAMPLE_BYTES[encoding];
  const text = (at: number, tag: string) => file.set(new TextEncoder().encode(tag), at);
  text(0, "RIFF");
  view.setUint32(4, HEADER_BYTES - 8 + sizeBytes, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, encoding === "pcm_f32le" ? FLOAT : PCM, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, sampleRate * sampleBytes, true);
  view.setUint16(32, sampleBytes, true);
  view.setUint16(34, 8 * sampleBytes, true);
  text(36, "data");
  view.setUint32(40, sizeBytes, true);
  let at = HEADER_BYTES;
  for (const piece of pieces) {
    file.set(piece, at);
    at += piece.length;
  }
  return file;
}

/** A session's audio as a WAV file, with silence for what is missing between its pieces. */
export function recordingOf(
  { encoding, sampleRate }: Pick<Start, "encoding" | "sampleRate">,
  pieces: readonly Piece[],
): Blob {
  const sampleBytes = SAMPLE_BYTES[encoding];
  const parts: Uint8Array[] = [];
  let next = pieces[0]?.at ?? 0;
  for (const { at, pcm } of pieces) {
    if (next < at) parts.push(new Uint8Array((at - next) * sampleBytes));
    parts.push(pcm);
    next = at + pcm.length / sampleBytes;
  }
  return new Blob([wav(parts, sampleRate, encoding)], { type: "audio/wav" });
}
