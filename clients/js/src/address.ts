/** Where the server is, and the token that opens it. */

const SOCKET_SCHEMES: Readonly<Record<string, string>> = {
  "http:": "ws:",
  "https:": "wss:",
  "ws:": "ws:",
  "wss:": "wss:",
};
const STREAM_PATH = "/v1/stream";

/** A server. Its URL may have a path, where a proxy put it below one of its own. */
export class Address {
  private constructor(
    /** `scheme://host/prefix` without a slash at the end; `http` or `https`. */
    private readonly base: string,
    /** The secret, or `null`. */
    readonly token: string | null,
  ) {}

  /**
   * @param url - The page's URL that the server prints (`http://127.0.0.1:8000/?token=...`), one with
   *   `ws:`, or in a browser one that is relative to the page.
   * @param token - Default: the URL's `?token=`, else none.
   * @throws RangeError on a URL that is none of http, https, ws or wss.
   */
  static of(url: string | URL, token?: string | null): Address {
    const parsed = parsedUrl(url);
    const scheme = parsed && SOCKET_SCHEMES[parsed.protocol];
    // What follows the question mark may be a token: never shown.
    if (!parsed || !scheme || !parsed.host) {
      throw new RangeError(`a URL like http://127.0.0.1:8000 expected, got ${shown(url)}`);
    }
    const path = parsed.pathname.endsWith(STREAM_PATH)
      ? parsed.pathname.slice(0, -STREAM_PATH.length)
      : parsed.pathname.replace(/[^/]*\.html?$/, "").replace(/\/+$/, "");
    const http = scheme === "wss:" ? "https:" : "http:";
    return new Address(
      `${http}//${parsed.host}${path}`,
      token || parsed.searchParams.get("token") || null,
    );
  }

  /** The URL of a path such as `/v1/transcripts`, without the token: fit to be shown. */
  api(path: string): string {
    return this.base + path;
  }

  /** The URL of a path, with the token: for elements and sockets, which cannot set headers. */
  open(path: string): string {
    if (this.token === null) return this.api(path);
    const query = path.includes("?") ? "&" : "?";
    return `${this.api(path)}${query}token=${encodeURIComponent(this.token)}`;
  }

  /** The `ws:` or `wss:` URL of the stream endpoint, with the token. */
  get stream(): string {
    return asSocket(this.open(STREAM_PATH));
  }

  /** The `ws:` or `wss:` URL at which a transcript is synchronised, with the token. */
  sync(transcript: string): string {
    return asSocket(this.open(`/v1/transcripts/${encodeURIComponent(transcript)}/sync`));
  }
}

function asSocket(url: string): string {
  return url.replace(/^http/, "ws");
}

function parsedUrl(url: string | URL): URL | null {
  const page = globalThis.location?.href;
  try {
    return page === undefined ? new URL(url) : new URL(url, page);
  } catch {
    return null;
  }
}

function shown(url: string | URL): string {
  return JSON.stringify(String(url).split("?")[0]?.slice(0, 200));
}
