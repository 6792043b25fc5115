/** The library of a real server, over HTTP. */

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import {
  connect,
  Forbidden,
  type Job,
  Library,
  NotFound,
  ProtocolViolation,
  Refused,
  ServerUnreachable,
  Unauthorized,
} from "../src/index.js";
import { wav } from "../src/wav.js";
import { Server, samples, talk } from "./serving.js";

let server: Server;
let library: Library;
beforeAll(async () => {
  server = await Server.start(talk(10), {}, true);
  library = new Library(server.url);
});
afterAll(() => server.stop());

async function spoken(title: string): Promise<string> {
  const { id } = await library.create({ title, language: "en" });
  const session = await connect(server.url, { WebSocket, transcript: id, person: "Zoë" });
  await session.send(samples(9));
  session.end();
  await session.finished;
  return id;
}

test("transcripts are made, found, changed and deleted", async () => {
  const made = await library.create({ title: "Budget of May", language: "en" });
  for (let n = 0; n < 3; n++) await library.create({ title: `Meeting ${n}` });
  const first = await library.page({ limit: 2 });
  expect(first.transcripts.map(({ title }) => title)).toEqual(["Meeting 2", "Meeting 1"]);
  const second = await library.page({ next: first.next ?? "" });
  expect(second.transcripts.map(({ title }) => title)).toContain("Budget of May");
  const found: string[] = [];
  for await (const { id } of library.transcripts("budg")) found.push(id);
  expect(found).toEqual([made.id]);
  const changed = await library.change(made.id, { title: "Budget of June" });
  expect(changed).toMatchObject({ id: made.id, title: "Budget of June", language: "en" });
  await library.delete(made.id);
  await expect(library.get(made.id)).rejects.toThrow(NotFound);
});

test("what was said is read, heard and exported", async () => {
  const id = await spoken("Said");
  const details = await library.get(id);
  expect(details.sessions).toMatchObject([{ person: "Zoë", durationMs: 9_000 }]);
  expect(details.speakers.map(({ name }) => name)).toEqual(["Zoë"]);
  expect(details.links).toEqual([]);
  const { turns } = await library.read(id);
  expect(turns.map(({ text }) => text.trim()).join(" ")).toContain("w0 w1 w2 w3 w4");
  const words = (await library.words(id)).flatMap((pass) => pass.words);
  expect(words.map(({ text }) => text.trim())).toContain("w9");
  expect(await (await library.export(id, "txt")).text()).toContain("w5");
  const moment = await library.audio(id, { fromMs: 0, toMs: 1_500 });
  expect(moment.size).toBe(44 + 1.5 * 32_000);
  // As an element does, that sets no headers.
  for (const url of [library.audioUrl(id, { toMs: 500 }), library.exportUrl(id, "srt")]) {
    expect((await fetch(url)).status).toBe(200);
  }
});

test("a recording is sent, and its job followed", { timeout: 60_000 }, async () => {
  const { id } = await library.create({ title: "Sent" });
  const file = new File([wav([samples(9)], 16_000, "pcm_s16le")], "talk.wav");
  const sent: number[] = [];
  const onProgress = (bytes: number, all: number) => sent.push(bytes / all);
  const hearing = { language: "en" };
  const job = await library.upload(id, file, { onProgress, hearing });
  expect(job).toMatchObject({ kind: "upload", file: "talk.wav" });
  expect(sent.at(-1)).toBe(1);
  expect((await library.upload(id, file, { hearing })).id).toBe(job.id);
  let last: Job = job;
  for await (const now of library.watch(id, job.id)) last = now;
  expect(last).toMatchObject({ state: "done", progress: 1_000, error: null, over: true });
  expect(await library.job(id, job.id)).toEqual(last);
  const jobs: string[] = [];
  for await (const each of library.jobs(id)) jobs.push(each.id);
  expect(jobs).toContain(job.id);
  const again = await library.retranscribe(id, 0, 1_500, { hearing: { language: "en" } });
  expect(again).toMatchObject([{ kind: "passage" }]);
  await library.cancel(id, again[0]?.id ?? "");
  const refused = library.upload(id, new Blob(["no recording"]));
  await expect(refused).rejects.toThrow(Refused);
});

test("recognizers that are here are told with what they know", async () => {
  const models = await library.models();
  expect(models).toContainEqual({ name: "whisper-base", languages: null });
  expect(models).not.toContainEqual(expect.objectContaining({ name: "campplus" }));
});

test("links let in as far as they say, and no further", async () => {
  const { id } = await library.create({ title: "Shared" });
  const link = await library.createLink(id, { role: "viewer", label: "Ada" });
  const viewer = new Library(server.url, { token: link.token });
  expect(await viewer.get(id)).toMatchObject({ title: "Shared", links: null });
  await expect(viewer.change(id, { title: "Mine" })).rejects.toThrow(Forbidden);
  expect(await library.links(id)).toMatchObject([{ id: link.id, label: "Ada", valid: true }]);
  await expect(viewer.models()).rejects.toThrow(Unauthorized);
  await library.endLink(id, link.id);
  await expect(viewer.get(id)).rejects.toThrow(Unauthorized);
});

test("what is no server of ours is told apart", async () => {
  await expect(new Library("http://127.0.0.1:9").page()).rejects.toThrow(ServerUnreachable);
  const elsewhere = new Library(`${new URL(server.url).origin}/nowhere/`, { token: "x" });
  await expect(elsewhere.page()).rejects.toSatisfy(
    (error) => error instanceof ProtocolViolation || error instanceof NotFound,
  );
});

test("a server that is away behind its proxy, or breaks off, is none that says nonsense", async () => {
  const proxy = createServer((request, response) => {
    if (request.url === "/v1/transcripts/half") {
      response.writeHead(200, { "Content-Length": "100" });
      response.write("{", () => response.destroy());
    } else {
      response.writeHead(Number(request.url?.split("/").at(-1)));
      response.end("<h1>Sorry</h1>");
    }
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const { port } = proxy.address() as AddressInfo;
  const behind = new Library(`http://127.0.0.1:${port}/`, { token: "x" });
  for (const status of ["502", "503", "504", "half"]) {
    await expect(behind.get(status)).rejects.toThrow(ServerUnreachable);
  }
  await expect(behind.get("500")).rejects.toThrow(ProtocolViolation);
  proxy.close();
});
