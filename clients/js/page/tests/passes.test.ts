/** Words of passes, fetched from a server that counts what it is asked. */

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Library } from "trax-client";
import type { Run } from "trax-client/transcript";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { PassWords } from "../src/words/passes";

let server: Server;
let asked: string[];
let heard: number;
let words: PassWords;
let told: number;

/** Answers as `GET /v1/transcripts/{id}/words` does, two words a page. */
function answer(path: string): [number, object] {
  const query = new URL(path, "http://localhost").searchParams;
  if (query.get("pass") !== "1") {
    return [
      404,
      { error: { code: "not_found", message: "no such pass", expected: "a pass", got: "none" } },
    ];
  }
  const first = Number(query.get("cursor")?.split(".")[1] ?? 0);
  const end = Math.min(heard, first + 2);
  const list = Array.from({ length: end - first }, (_, n) => [
    ` w${first + n}`,
    first + n,
    first + n + 1,
    900,
  ]);
  const next = end < heard ? `/v1/transcripts/x/words?pass=1&cursor=1.${end}` : null;
  return [200, { passes: [{ id: "1", session: null, kind: "live", first, words: list }], next }];
}

beforeEach(async () => {
  [asked, heard, told] = [[], 3, 0];
  server = createServer((request, response) => {
    asked.push(request.url?.split("words?")[1] ?? "");
    const [status, body] = answer(request.url ?? "");
    response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const library = new Library(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, {
    token: "t",
  });
  words = new PassWords(library, "x", () => told++, 5);
});
afterEach(() => {
  words.close();
  server.closeAllConnections();
  server.close();
});

const run = (segment: string): Run => ({
  start: 0,
  text: "x",
  segment,
  highlight: null,
  turn: null,
});
const known = () =>
  words
    .get("1")
    ?.map(({ text }) => text.trim())
    .join(" ");

test("only the words that are not here yet are asked for", async () => {
  words.need([run("1:0:3")]);
  await vi.waitFor(() => expect(known()).toBe("w0 w1 w2"));
  heard = 5;
  words.need([run("1:0:3"), run("1:3:5")]);
  await vi.waitFor(() => expect(known()).toBe("w0 w1 w2 w3 w4"));
  words.need([run("1:0:3"), run("1:3:5"), run("nonsense")]);
  expect(asked).toEqual(["pass=1", "pass=1&cursor=1.2", "pass=1&cursor=1.3"]);
  expect(told).toBe(2);
});

test("words that are named before they are there are asked for more and more rarely", async () => {
  words.need([run("1:0:4")]);
  await vi.waitFor(() => expect(known()).toBe("w0 w1 w2"));
  const at: number[] = [];
  server.on("request", () => at.push(performance.now()));
  await vi.waitFor(() => expect(at.length).toBe(4), { timeout: 5_000 });
  // Timers never come early: pauses of 10, 20 and 40 ms lie between, but for what was on its way.
  expect((at[3] as number) - (at[0] as number)).toBeGreaterThan(50);
  expect(told).toBe(1);
  heard = 4;
  await vi.waitFor(() => expect(known()).toBe("w0 w1 w2 w3"), { timeout: 5_000 });
});

test("a pass that is not there is asked for once", async () => {
  words.need([run("9:0:4")]);
  await vi.waitFor(() => expect(asked).toEqual(["pass=9"]));
  words.need([run("9:4:8"), run("1:0:3")]);
  await vi.waitFor(() => expect(known()).toBe("w0 w1 w2"));
  expect(asked.filter((each) => each.startsWith("pass=9"))).toHaveLength(1);
});
