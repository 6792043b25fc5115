/** The list of transcripts is asked for again only while words are still to come. */

import { afterEach, expect, test, vi } from "vitest";

const kept = new Map<string, string>();
vi.stubGlobal("document", { baseURI: "https://trax.example/" });
vi.stubGlobal("localStorage", { getItem: (key: string) => kept.get(key) ?? null });
afterEach(() => kept.clear());
const { further, isUnderWay } = await import("../src/start/useTranscripts");
type Row = Parameters<typeof isUnderWay>[0];

const job = { id: "j", kind: "upload", progress: 0, error: null, errorCode: null };
const waiting = { ...job, state: "waiting", over: false };
const row: Row = {
  id: "t",
  title: "",
  language: null,
  state: "live",
  createdMs: 0,
  updatedMs: 0,
  startedMs: 0,
  durationMs: 0,
  sync: "/v1/transcripts/t/sync",
  speakers: [],
  job: null,
};

test("a row waits for its words while they are heard, or its recording is on its way", () => {
  expect(isUnderWay(row)).toBe(false);
  expect(isUnderWay({ ...row, job: waiting })).toBe(true);
  expect(isUnderWay({ ...row, job: { ...job, state: "failed", over: true } })).toBe(false);
  expect(isUnderWay({ ...row, job: waiting, speakers: ["Ann"] })).toBe(false);
  expect(isUnderWay({ ...row, job: waiting, speakers: null })).toBe(false);
  kept.set("trax.awaits https://trax.example/t/t", "1");
  expect(isUnderWay(row)).toBe(true);
  expect(isUnderWay({ ...row, durationMs: 1 })).toBe(false);
});

test("rows are as far as their jobs are, and stay where none is told", () => {
  const running = { ...job, state: "running", progress: 500, over: false };
  const rows = [
    { ...row, job: waiting },
    { ...row, id: "other", job: waiting },
  ];
  const jobs = new Map([
    ["t", running],
    ["new", running],
  ]);
  expect(further(rows, jobs).map((each) => each.job)).toEqual([running, waiting]);
});
