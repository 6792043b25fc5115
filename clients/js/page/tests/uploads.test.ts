/** What becomes of a transcript whose recording did not come. */

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { sayIn } from "../src/i18n";
import { en } from "../src/i18n/en";

const store = new Map<string, string>();

beforeEach(() => {
  vi.stubGlobal("document", { baseURI: "http://server/" });
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => store.get(key) ?? null,
    setItem: (key: string, value: string) => void store.set(key, value),
    removeItem: (key: string) => void store.delete(key),
  });
  store.clear();
});
afterEach(() => vi.unstubAllGlobals());

const fetched = async () => ({
  ...(await import("../src/start/useUploads")),
  ...(await import("../src/start/awaited")),
});

/** A server with one transcript. */
function library(jobs: number, turns: number) {
  const deleted: string[] = [];
  return {
    deleted,
    async *jobs() {
      for (let n = 0; n < jobs; n++) yield {} as never;
    },
    read: async () => ({ turns: Array(turns).fill({}), notes: "" }) as never,
    delete: async (id: string) => void deleted.push(id),
  };
}

test("it is deleted where nothing came, and kept where something did or people wrote", async () => {
  const { deleteUnused, isAwaited, setAwaited } = await fetched();
  for (const [jobs, turns, deleted] of [
    [0, 0, ["a"]],
    [1, 0, []],
    [0, 1, []],
  ] as const) {
    const server = library(jobs, turns);
    setAwaited("a");
    await deleteUnused(server, "a");
    expect(server.deleted).toEqual(deleted);
    expect(isAwaited("a")).toBe(false);
  }
});

test("it is still waited for where the server cannot be asked", async () => {
  const { deleteUnused, isAwaited, setAwaited } = await fetched();
  const away = { ...library(0, 0), read: () => Promise.reject(new Error("away")) };
  setAwaited("a");
  await expect(deleteUnused(away, "a")).rejects.toThrow("away");
  expect(isAwaited("a")).toBe(true);
});

test("an empty transcript says what becomes of its recording", async () => {
  const { describeEmpty } = await import("../src/meeting/Empty");
  const said = (job: object | null, awaited = false, more = {}) => {
    const told = { phase: "off", open: true, job, awaited, ...more } as never;
    return describeEmpty(told, sayIn(en));
  };
  const running = { state: "running", kind: "upload", progress: 420, over: false };
  const failed = { state: "failed", kind: "upload", errorCode: "no_audio", over: true };
  expect(said(running)).toBe("Being heard, 42 %. Then the words of the recording appear here.");
  expect(said(running, false, { open: false })).toBe(said(running));
  expect(said(running, false, { phase: "recording" })).toBe(en["meeting.emptyListening"]);
  expect(said(failed)).toBe(`Failed: ${en["failed.noAudio"]}`);
  expect(said(null, true)).toBe(en["start.awaited"]);
  expect(said({ ...running, state: "done", over: true })).toBe(en["meeting.empty"]);
  expect(said(null, false, { open: false })).toBe(en["meeting.emptyViewer"]);
});

test("the bar of an upload is as far as what is said beside it", async () => {
  const { progress } = await import("../src/start/Dropzone");
  const far = (sent: number, job: object | null) => progress({ sent, job } as never);
  expect(far(0.5, null)).toBe(0.5);
  expect(far(1, { over: false, progress: 0 })).toBe(0);
  expect(far(1, { over: false, progress: 420 })).toBe(0.42);
  expect(far(1, { over: true, progress: 420 })).toBe(1);
});

test("leaving asks until what is sent has arrived, or cannot", async () => {
  const { askUntil } = await import("../src/leaving");
  const target = new EventTarget();
  vi.stubGlobal("addEventListener", target.addEventListener.bind(target));
  vi.stubGlobal("removeEventListener", target.removeEventListener.bind(target));
  const asks = () => !target.dispatchEvent(new Event("beforeunload", { cancelable: true }));
  for (const over of [Promise.resolve(), Promise.reject(new Error("away"))]) {
    askUntil(over);
    expect(asks()).toBe(true);
    await over.catch(() => undefined);
    expect(asks()).toBe(false);
  }
});
