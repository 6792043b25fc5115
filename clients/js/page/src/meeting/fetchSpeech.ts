/** Fetches what speaks into a session, which nobody needs who only reads. */

import { PartMissing } from "../errors";

/** @throws {@link PartMissing} if the server is away, or has another page by now. */
export async function fetchSpeech(): Promise<typeof import("./speech")> {
  try {
    return await import("./speech");
  } catch (cause) {
    throw new PartMissing(cause);
  }
}
