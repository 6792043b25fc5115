/** Speech that no server takes. */

/** To be saved as a file, or dropped. */
export interface Refused {
  readonly session: string;
  /** Unix time of the last sign of it. */
  readonly updatedMs: number;
  readonly audio: Blob;
  readonly why: unknown;
  readonly discard: () => void;
}

/** Of a WAV file without samples. */
export const EMPTY_BYTES = 44;
