/** What each file that one can take away has to be: read as other programs would read it. */

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { PYTHON } from "./server";

/** A word of the talk, and how the first who speaks in it was called. */
const [WORD, NAME] = ["peaceful", "Huckleberry"];

type Check = (path: string) => void;

/** By the name of the button that saves it. */
export const FILES: readonly (readonly [button: string, check: Check])[] = [
  ["Word document", (path) => tells(documentOf(path))],
  ["SRT subtitles", (path) => subRip(textOf(path))],
  ["VTT subtitles", (path) => webVtt(textOf(path))],
  ["JSON", (path) => json(textOf(path))],
  ["RTTM speakers", (path) => rttm(textOf(path))],
  ["Plain text", (path) => tells(textOf(path))],
  ["Markdown", (path) => markdown(textOf(path))],
  ["Obsidian note", (path) => note(textOf(path))],
];

const textOf = (path: string) =>
  new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));

/** The text of a Word document, whose whole archive is read. */
function documentOf(path: string): string {
  const read =
    "import sys, zipfile as z; f = z.ZipFile(sys.argv[1]); assert f.testzip() is None; print(f.read('word/document.xml').decode())";
  return execFileSync(PYTHON, ["-c", read, path], { encoding: "utf8" });
}

function tells(text: string): void {
  expect(text).toContain(WORD);
  expect(text).toContain(NAME);
}

function subRip(text: string): void {
  expect(text.endsWith("\n\n")).toBe(true);
  const cues = text.trimEnd().split("\n\n");
  expect(cues.map((cue) => cue.split("\n")[0])).toEqual(cues.map((_, index) => `${index + 1}`));
  inOrder(cues.map((cue) => spanOf(cue.split("\n")[1], ",")));
  tells(cues.flatMap((cue) => cue.split("\n").slice(2)).join("\n"));
}

function webVtt(text: string): void {
  const [head, ...cues] = text.trimEnd().split("\n\n");
  expect(head).toBe("WEBVTT");
  inOrder(cues.map((cue) => spanOf(cue.split("\n")[0], ".")));
  tells(cues.flatMap((cue) => cue.split("\n").slice(1)).join("\n"));
  expect(text).toContain(`<v ${NAME}>`);
}

/** When a caption is shown, in milliseconds. */
function spanOf(line: string | undefined, point: string): readonly [number, number] {
  const clock = `(\\d\\d):([0-5]\\d):([0-5]\\d)\\${point}(\\d{3})`;
  const [, ...digits] = new RegExp(`^${clock} --> ${clock}$`).exec(line ?? "") ?? [];
  expect(digits, line).toHaveLength(8);
  const ms = ([h = 0, m = 0, s = 0, rest = 0]: number[]) => ((h * 60 + m) * 60 + s) * 1000 + rest;
  const numbers = digits.map(Number);
  return [ms(numbers.slice(0, 4)), ms(numbers.slice(4))];
}

function inOrder(spans: readonly (readonly [number, number])[]): void {
  expect(spans.length).toBeGreaterThan(0);
  for (const [start, end] of spans) expect(end).toBeGreaterThan(start);
  const starts = spans.map(([start]) => start);
  expect(starts).toEqual(starts.toSorted((one, other) => one - other));
}

interface Written {
  readonly schema: string;
  readonly version: number;
  readonly speakers: readonly { name: string }[];
  readonly turns: readonly { text: string; words: readonly { text: string }[] }[];
}

function json(text: string): void {
  const { schema, version, speakers, turns } = JSON.parse(text) as Written;
  expect([schema, version]).toEqual(["trax.transcript", 1]);
  expect(speakers.map(({ name }) => name)).toContain(NAME);
  expect(turns.map((turn) => turn.words.map((word) => word.text).join(""))).toEqual(
    turns.map((turn) => turn.text),
  );
  expect(turns.map((turn) => turn.text).join(" ")).toContain(WORD);
}

function rttm(text: string): void {
  const lines = text.trimEnd().split("\n");
  const found = lines.map((line) =>
    /^SPEAKER \S+ 1 (\d+\.\d{3}) (\d+\.\d{3}) <NA> <NA> \S+ <NA> <NA>$/.exec(line),
  );
  inOrder(found.map((each) => [Number(each?.[1]), Number(each?.[1]) + Number(each?.[2])]));
  expect(new Set(lines.map((line) => line.split(" ")[7])).size).toBeGreaterThan(1);
}

function markdown(text: string): void {
  expect(text).toMatch(/^# Spoken\n\n\S.*\n\n\*\*.+\*\* \(\d+:\d\d:\d\d\)\n\n\S/);
  tells(text);
}

function note(text: string): void {
  const [, front, body] = /^---\n(.*?)\n---\n+(.*)$/s.exec(text) ?? [];
  expect(front).toMatch(/^title: "Spoken"\ndate: \d{4}-\d\d-\d\d/);
  expect(front).toContain(NAME);
  markdown(body ?? "");
}
