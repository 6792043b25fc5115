/**
 * Comments and tags: what people say about a stretch of the text, anchored to it.
 *
 *     comments[ID] = {"start": POSITION, "end": POSITION, "quote": "their house", "text": "Whose?",
 *                     "author": "Zoë", "created_ms": 1767225600000, "resolved": false}
 *     comments[ID] = {"parent": ID, "text": "Ours.", "author": "Ada", "created_ms": 1767225660000}
 *     tags[ID]     = {"start": POSITION, "end": POSITION, "quote": "their house", "label": "decision",
 *                     "author": "Zoë", "created_ms": 1767225600000}
 *
 * A position is a relative one of Yjs, as JSON, that stays at its character whatever is typed before
 * it. A reply is an entry of its own, so that two people who reply at once both stand there.
 */

import * as Y from "yjs";
import { lengthOf, type TextChange } from "./changes.js";
import { asMap, asText } from "./document.js";

/** A stretch of the text that something is about; `null` once that text is gone. */
export type Place = readonly [number, number] | null;

/** An answer to a comment. */
export interface Reply {
  readonly id: string;
  readonly text: string;
  readonly author: string;
  /** Unix time. */
  readonly createdMs: number;
}

/** What somebody says about a stretch of the text. */
export interface Comment extends Reply {
  readonly place: Place;
  /** What stood there when it was written. */
  readonly quote: string;
  readonly resolved: boolean;
  /** In the order of time. */
  readonly replies: readonly Reply[];
}

/** A mark on a stretch of the text. */
export interface Tag {
  readonly id: string;
  readonly label: string;
  readonly author: string;
  readonly createdMs: number;
  readonly place: Place;
  readonly quote: string;
}

/** Fields of an anchor to `[start, end)`, for an entry of `comments` or `tags`. */
export function anchor(text: Y.Text, start: number, end: number): Record<string, unknown> {
  const position = (at: number, assoc: number) =>
    Y.relativePositionToJSON(Y.createRelativePositionFromTypeIndex(text, at, assoc));
  // What is typed right before or behind the stretch does not belong to it.
  return {
    start: position(start, 0),
    end: position(end, -1),
    quote: text.toString().slice(start, end),
  };
}

/** What is said about the text, without where that stands. */
export type Unplaced<T> = Omit<T, "place"> & { readonly start: unknown; readonly end: unknown };

/** All comments with their replies, in any order. */
export function asComments(entries: Readonly<Record<string, unknown>>): Unplaced<Comment>[] {
  const replies = new Map<string, Reply[]>();
  const begun: Unplaced<Comment>[] = [];
  for (const [id, value] of Object.entries(entries)) {
    const fields = asMap(value);
    const said = asReply(id, fields);
    const parent = asText(fields.parent);
    if (said === null) continue;
    if (parent === null) {
      const { start, end } = fields;
      const quote = asText(fields.quote) ?? "";
      begun.push({ ...said, start, end, quote, resolved: fields.resolved === true, replies: [] });
    } else {
      replies.set(parent, [...(replies.get(parent) ?? []), said]);
    }
  }
  return begun.map((comment) => ({
    ...comment,
    replies: (replies.get(comment.id) ?? []).sort(byTime),
  }));
}

/** All tags, in any order. */
export function asTags(entries: Readonly<Record<string, unknown>>): Unplaced<Tag>[] {
  return Object.entries(entries).flatMap(([id, value]) => {
    const fields = asMap(value);
    const label = asText(fields.label);
    if (label === null) return [];
    const { start, end } = fields;
    const [author, quote] = [asText(fields.author) ?? "", asText(fields.quote) ?? ""];
    return [{ id, label, author, createdMs: asTime(fields.created_ms), start, end, quote }];
  });
}

/** Says where each stands now, in the order of the text; those whose text is gone come last. */
export function placed<T extends { readonly createdMs: number }>(
  remarks: readonly (T & { readonly start: unknown; readonly end: unknown })[],
  anchors: Anchors,
): (T & { readonly place: Place })[] {
  anchors.keep(new Set(remarks.flatMap(({ start, end }) => [start, end])));
  return remarks
    .map(({ start, end, ...remark }) => {
      const [first, last] = [anchors.indexOf(start), anchors.indexOf(end)];
      const place = first !== null && last !== null && first < last ? [first, last] : null;
      return { ...remark, place } as unknown as T & { readonly place: Place };
    })
    .sort(byPlace);
}

/**
 * Where anchors stand: sought in the whole text once, and then moved with what changes before them.
 *
 * Those that a change touches are sought anew. Owned by one open transcript, for one list.
 */
export class Anchors {
  /** How often the text was looked through for one. */
  sought = 0;
  private readonly known = new Map<object, number>();

  constructor(private readonly text: Y.Text) {}

  /** @param value - A position as an entry has it, which stays the same object. */
  indexOf(value: unknown): number | null {
    const position = asMap(value);
    if (this.text.doc === null || Object.keys(position).length === 0) return null;
    const known = this.known.get(position);
    if (known !== undefined) return known;
    this.sought += 1;
    const found = seek(this.text, this.text.doc, position);
    if (found !== null) this.known.set(position, found);
    return found;
  }

  /** Forgets all others. */
  keep(values: ReadonlySet<unknown>): void {
    for (const position of this.known.keys()) {
      if (!values.has(position)) this.known.delete(position);
    }
  }

  /** Moves what stands behind a change. */
  follow({ from, to, stretches }: TextChange): void {
    const length = stretches.reduce((sum, each) => sum + lengthOf(each), 0);
    for (const [position, index] of this.known) {
      if (index > to) this.known.set(position, index + length - (to - from));
      else if (index >= from) this.known.delete(position);
    }
  }
}

function seek(text: Y.Text, doc: Y.Doc, value: object): number | null {
  try {
    const position = Y.createRelativePositionFromJSON(value);
    const found = Y.createAbsolutePositionFromRelativePosition(position, doc);
    return found?.type === text ? found.index : null;
  } catch {
    return null; // whatever an editor wrote there
  }
}

function asReply(id: string, fields: Readonly<Record<string, unknown>>): Reply | null {
  const text = asText(fields.text);
  if (text === null) return null;
  return { id, text, author: asText(fields.author) ?? "", createdMs: asTime(fields.created_ms) };
}

function asTime(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}

function byTime(one: { createdMs: number }, other: { createdMs: number }): number {
  return one.createdMs - other.createdMs;
}

function byPlace(
  one: { place: Place; createdMs: number },
  other: { place: Place; createdMs: number },
): number {
  const [here, there] = [one.place?.[0] ?? Infinity, other.place?.[0] ?? Infinity];
  return here === there ? byTime(one, other) : here - there;
}
