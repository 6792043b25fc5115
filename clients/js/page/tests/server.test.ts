/** By which token one enters. */

import { afterEach, beforeEach, expect, test, vi } from "vitest";

class Store {
  private readonly values = new Map<string, string>();
  getItem = (key: string) => this.values.get(key) ?? null;
  setItem = (key: string, value: string) => void this.values.set(key, value);
  removeItem = (key: string) => void this.values.delete(key);
}

beforeEach(() => {
  vi.stubGlobal("document", { baseURI: "http://server/" });
  vi.stubGlobal("localStorage", new Store());
  vi.stubGlobal("sessionStorage", new Store());
  vi.stubGlobal("history", { state: null, replaceState: () => undefined });
});
afterEach(() => vi.unstubAllGlobals());

/** Follows a link. */
async function follow(address: string) {
  const page = await import("../src/server");
  page.takeToken(new URL(address));
  return page;
}

/** As in another tab, or after this one was closed. */
const anotherTab = () => vi.stubGlobal("sessionStorage", new Store());

test("a link with a wrong token costs nobody the one that counts", async () => {
  const { keepToken, tokenFor, dropToken } = await follow("http://server/");
  keepToken("own");
  await follow("http://server/?token=bogus");
  expect(tokenFor(null)).toBe("bogus");
  expect(dropToken(null)).toBe(true);
  expect(tokenFor(null)).toBe("own");
  expect(dropToken(null)).toBe(false);
  expect(tokenFor(null)).toBe("own");
});

test("whoever has the server's own token is kept from nothing by a link", async () => {
  const { keepToken, tokenFor, dropToken } = await follow("http://server/");
  keepToken("own");
  await follow("http://server/?token=link#/t/a");
  expect(tokenFor("a")).toBe("own");
  expect(dropToken("a")).toBe(true); // of another start of the server
  expect(tokenFor("a")).toBe("link");
});

test("a token is kept for other tabs once the server has taken it", async () => {
  const { tokenFor, confirmToken } = await follow("http://server/?token=own");
  await follow("http://server/?token=link#/t/a");
  confirmToken(null);
  anotherTab();
  expect(tokenFor(null)).toBe("own");
  expect(tokenFor("a")).toBe("own");
});

test("so is that of a link", async () => {
  const { tokenFor, confirmToken } = await follow("http://server/?token=link#/t/a");
  confirmToken("a");
  anotherTab();
  expect(tokenFor("a")).toBe("link");
  expect(tokenFor("b")).toBeNull();
});

test("a link that ended is remembered where nothing else opens the transcript", async () => {
  const { tokenFor, comesByLink, dropToken } = await follow("http://server/?token=link#/t/a");
  expect(dropToken("a")).toBe(false);
  expect(comesByLink("a")).toBe(true);
  expect(tokenFor("a")).toBe("link");
});
