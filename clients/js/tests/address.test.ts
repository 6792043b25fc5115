/** Where a URL leads. */

import { expect, test } from "vitest";
import { Address } from "../src/address.js";

test.each([
  ["http://127.0.0.1:8000/?token=a%20b", "ws://127.0.0.1:8000/v1/stream?token=a%20b"],
  ["https://example.org", "wss://example.org/v1/stream"],
  ["wss://example.org/v1/stream?token=t", "wss://example.org/v1/stream?token=t"],
  ["https://example.org/trax/", "wss://example.org/trax/v1/stream"],
  ["https://example.org/trax/index.html#x", "wss://example.org/trax/v1/stream"],
])("%s leads to %s", (url, stream) => {
  expect(Address.of(url).stream).toBe(stream);
});

test("paths are below where a proxy put the server, and ids are quoted", () => {
  const address = Address.of("https://example.org/trax", "t");
  expect(address.api("/v1/transcripts")).toBe("https://example.org/trax/v1/transcripts");
  expect(address.open("/v1/x?a=1")).toBe("https://example.org/trax/v1/x?a=1&token=t");
  expect(address.sync("a/b")).toBe("wss://example.org/trax/v1/transcripts/a%2Fb/sync?token=t");
});

test.each(["", "nowhere", "ftp://example.org/?token=secret"])("%o is refused", (url) => {
  expect(() => Address.of(url)).toThrow(RangeError);
  expect(() => Address.of(url)).not.toThrow("secret");
});
