/** What can be carried away: files of the server, and what is made of them here. */

import type { ExportFormat, Library } from "trax-client";
import type { Turn } from "trax-client/transcript";
import { clock } from "../format";
import { spanOf, type TimedWord } from "../words/timing";

export const FORMATS: readonly ExportFormat[] = ["md", "docx", "txt", "srt", "vtt", "json", "rttm"];

/** Has the browser save something. */
export function save(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** A file name that every system takes. */
export function fileName(title: string, extension: string): string {
  const plain = title
    .replace(/[\p{Cc}/\\:*?"<>|#^[\]]/gu, " ")
    .replace(/\s+/g, " ")
    .trim();
  return `${plain.slice(0, 100) || "transcript"}.${extension}`;
}

export async function saveExport(
  library: Library,
  id: string,
  format: ExportFormat,
  title: string,
): Promise<void> {
  save(await library.export(id, format), fileName(title, format));
}

interface Facts {
  readonly title: string;
  readonly date: Date;
  readonly durationMs: number;
  readonly people: readonly string[];
  readonly tags: readonly string[];
}

/** A note of Obsidian: front matter, then the Markdown that the server writes. */
export function obsidianNote(markdown: string, facts: Facts): string {
  const list = (values: readonly string[]) =>
    values.map((value) => `\n  - ${quoted(value)}`).join("");
  const tags = [
    "transcript",
    ...facts.tags.map((tag) => tag.trim().replace(/[^\p{L}\p{N}_/-]+/gu, "-")),
  ];
  return [
    "---",
    `title: ${quoted(facts.title)}`,
    `date: ${facts.date.toISOString().slice(0, 10)}`,
    `duration: ${quoted(clock(facts.durationMs))}`,
    `participants:${facts.people.length ? list(facts.people) : " []"}`,
    `tags:${list([...new Set(tags.filter(Boolean))])}`,
    "---",
    "",
    markdown,
  ].join("\n");
}

/** Text as YAML takes it whatever is in it: JSON is YAML. */
function quoted(value: string): string {
  return JSON.stringify(value.replace(/\p{Cc}/gu, " "));
}

/** The transcript as text to paste, with or without times. */
export function asText(
  turns: readonly Turn[],
  timed: readonly TimedWord[],
  times: boolean,
): string {
  return turns
    .filter(({ text }) => text.trim())
    .map(({ name, text, start, end }) => {
      const span = times ? spanOf(timed, start, end) : null;
      const head = [span ? `[${clock(span.startMs)}]` : "", name ? `${name}:` : ""];
      return [...head, text.trim()].filter(Boolean).join(" ");
    })
    .join("\n\n");
}
