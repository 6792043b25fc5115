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

/** All comments in the order of the text, those whose text is gone last. */
export function asComments(text: Y.Text, entries: Readonly<Record<string, unknown>>): Comment[] {
  const replies = new Map<string, Reply[]>();
  const begun: Comment[] = [];
  for (const [id, value] of Object.entries(entries)) {
    const fields = asMap(value);
    const said = asReply(id, fields);
    const parent = asText(fields.parent);
    if (said === null) continue;
    if (parent === null) {
      const [place, quote] = [placeOf(text, fields), asText(fields.quote) ?? ""];
      begun.push({ ...said, place, quote, resolved: fields.resolved === true, replies: [] });
    } else {
      replies.set(parent, [...(replies.get(parent) ?? []), said]);
    }
  }
  return begun
    .map((comment) => ({ ...comment, replies: (replies.get(comment.id) ?? []).sort(byTime) }))
    .sort(byPlace);
}

/** All tags in the order of the text, those whose text is gone last. */
export function asTags(text: Y.Text, entries: Readonly<Record<string, unknown>>): Tag[] {
  return Object.entries(entries)
    .flatMap(([id, value]) => {
      const fields = asMap(value);
      const label = asText(fields.label);
      if (label === null) return [];
      const author = asText(fields.author) ?? "";
      const [place, quote] = [placeOf(text, fields), asText(fields.quote) ?? ""];
      return [{ id, label, author, createdMs: asTime(fields.created_ms), place, quote }];
    })
    .sort(byPlace);
}

function asReply(id: string, fields: Readonly<Record<string, unknown>>): Reply | null {
  const text = asText(fields.text);
  if (text === null) return null;
  return { id, text, author: asText(fields.author) ?? "", createdMs: asTime(fields.created_ms) };
}

function asTime(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}

function placeOf(text: Y.Text, fields: Readonly<Record<string, unknown>>): Place {
  const [start, end] = [indexOf(text, fields.start), indexOf(text, fields.end)];
  return start !== null && end !== null && start < end ? [start, end] : null;
}

function indexOf(text: Y.Text, value: unknown): number | null {
  if (text.doc === null || Object.keys(asMap(value)).length === 0) return null;
  try {
    const position = Y.createRelativePositionFromJSON(value);
    const found = Y.createAbsolutePositionFromRelativePosition(position, text.doc);
    return found?.type === text ? found.index : null;
  } catch {
    return null; // whatever an editor wrote there
  }
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
