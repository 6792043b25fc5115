/** Sends a file over HTTP, and tells how far it is: by XMLHttpRequest where there is one. */

import { ServerUnreachable } from "./errors.js";

/** Is told how many bytes of how many were sent. */
export type Progress = (sentBytes: number, sizeBytes: number) => void;

/** What the server said. */
export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly retryAfter: string | null;
}

interface Sending {
  readonly onProgress?: Progress;
  readonly signal?: AbortSignal;
}

/**
 * Posts a file.
 *
 * @throws {@link ServerUnreachable} if the connection breaks.
 */
export async function sendFile(
  url: string,
  file: Blob,
  headers: Readonly<Record<string, string>>,
  sending: Sending,
): Promise<Answer> {
  sending.signal?.throwIfAborted();
  const all = { ...headers, "Content-Type": "application/octet-stream" };
  const send = globalThis.XMLHttpRequest === undefined ? byFetch : byRequest;
  return send(url, file, all, sending);
}

/** By `fetch`, which tells nothing of how far it is until it is done. */
async function byFetch(
  url: string,
  file: Blob,
  headers: Readonly<Record<string, string>>,
  { onProgress, signal }: Sending,
): Promise<Answer> {
  try {
    const init = { method: "POST", headers, body: file, signal: signal ?? null };
    const response = await fetch(url, init);
    onProgress?.(file.size, file.size);
    const retryAfter = response.headers.get("retry-after");
    return { status: response.status, body: await response.text(), retryAfter };
  } catch (error) {
    signal?.throwIfAborted();
    throw new ServerUnreachable(shown(url), error instanceof Error ? error.message : "broken off");
  }
}

function byRequest(
  url: string,
  file: Blob,
  headers: Readonly<Record<string, string>>,
  { onProgress, signal }: Sending,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    request.open("POST", url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded }) => onProgress?.(loaded, file.size);
    request.onloadend = () => signal?.removeEventListener("abort", abort);
    request.onload = () => {
      const retryAfter = request.getResponseHeader("retry-after");
      resolve({ status: request.status, body: request.responseText, retryAfter });
    };
    request.onerror = () => reject(new ServerUnreachable(shown(url), "the connection broke"));
    request.onabort = () => reject(signal?.reason);
    signal?.addEventListener("abort", abort);
    request.send(file);
  });
}

function shown(url: string): string {
  return url.split("?")[0] ?? "";
}
