/** One open transcript: what it says, and edits of one's own. */

import type { Turn } from "./document.js";
import { NotSaved, SuggestionOutdated } from "./errors.js";
import { MINE, TranscriptReading } from "./reading.js";
import { anchor } from "./remarks.js";
import { find, type Suggestion } from "./suggestions.js";

/**
 * One open transcript, made by `openTranscript`.
 *
 * Reading and editing never wait, with or without a connection: what was written meanwhile is merged
 * when there is one again. Positions are UTF-16 units of the text, and hold until something changes.
 * For an editor such as CodeMirror, `text`, `awareness` and `textUndoManager` are there to be bound.
 */
export class SharedTranscript extends TranscriptReading {
  // Editing

  /** Makes all that is changed inside one edit, for others and for undo. */
  edit<T>(change: () => T): T {
    if (this.denied !== null) throw this.denied;
    const part = () => {
      for (const history of this.histories) history.stopCapturing();
    };
    part();
    const result = this.doc.transact(change, MINE);
    part();
    return result;
  }

  /**
   * Inserts text; newlines in it begin no turns.
   *
   * It becomes part of what stands before it: of its turn, and of its highlight.
   */
  insert(position: number, text: string): void {
    this.check([position], text);
    this.edit(() => this.put(position, text));
  }

  /** Deletes a stretch; with the newline before a turn, that turn joins the last. */
  delete(start: number, end: number): void {
    this.check([start, end]);
    if (start < end) this.edit(() => this.text.delete(start, end - start));
  }

  /** Puts text in the place of a stretch, whose turn and times it keeps. */
  replace(start: number, end: number, text: string): void {
    this.check([start, end], text);
    this.edit(() => this.putInstead(start, end, text));
  }

  /**
   * Begins a turn at `position`; returns its id.
   *
   * @param speaker - Who speaks in it; default: who spoke in the turn that is split.
   */
  splitTurn(position: number, speaker?: string): string {
    this.check([position]);
    const speaking = speaker ?? this.turns.findLast(({ start }) => start <= position)?.speaker;
    const turn = randomId();
    this.edit(() => {
      this.text.insert(position, "\n", { t: turn });
      if (speaking) this.maps.hturns.set(turn, speaking);
    });
    return turn;
  }

  /** Joins a turn to the one before it. */
  joinTurns(turn: string): void {
    const { start } = this.turn(turn);
    this.edit(() => this.text.delete(start - 1, 1));
  }

  /** Says who speaks in a turn, whatever the server heard. */
  chooseSpeaker(turn: string, speaker: string): void {
    this.turn(turn);
    this.edit(() => this.maps.hturns.set(turn, speaker));
  }

  /** Names a speaker, or chooses a colour; what is left out stays as people chose it before. */
  nameSpeaker(speaker: string, chosen: { name?: string; colour?: string }): void {
    const said = this.maps.speakers.get(speaker);
    this.edit(() => this.maps.speakers.set(speaker, { ...Object(said), ...chosen }));
  }

  /** Adds somebody whom the server does not know, under an id of their own, which it returns. */
  addSpeaker(chosen: { name: string; colour?: string }): string {
    const speaker = `p${randomId()}`;
    this.nameSpeaker(speaker, chosen);
    return speaker;
  }

  /**
   * Says that a speaker is another one, in all turns, those to come as well. `null` takes it back:
   * the turns are those of the speaker again.
   */
  mergeSpeakers(speaker: string, other: string | null): void {
    const said = this.maps.speakers.get(speaker);
    this.edit(() => this.maps.speakers.set(speaker, { ...Object(said), same: other }));
  }

  /** Highlights a stretch in a colour, or with `null` no more. */
  highlight(start: number, end: number, colour: string | null): void {
    this.check([start, end]);
    if (start < end) this.edit(() => this.text.format(start, end - start, { hl: colour }));
  }

  /** Where a suggestion's text stands; `null` if that cannot be told: it is outdated. */
  place(suggestion: Suggestion): [number, number] | null {
    return find(this.plain, this.runs, suggestion, this.quotes);
  }

  /**
   * Has the text say what a suggestion says, as an edit of one's own.
   *
   * @throws RangeError if there is none of that id, or somebody decided about it.
   * @throws {@link SuggestionOutdated} if its text was edited since.
   */
  accept(suggestion: string): void {
    const accepted = this.suggestion(suggestion);
    const place = this.place(accepted);
    if (place === null) throw new SuggestionOutdated(suggestion);
    this.edit(() => {
      this.putInstead(...place, accepted.alternative);
      this.maps.sugd.set(suggestion, "accepted");
    });
  }

  /** Leaves the text as it is, and has nobody see a suggestion any more. */
  dismiss(suggestion: string): void {
    this.suggestion(suggestion);
    this.edit(() => this.maps.sugd.set(suggestion, "dismissed"));
  }

  /** Comments on a stretch; returns the comment's id. */
  comment(start: number, end: number, text: string, author: string): string {
    const place = this.anchored(start, end);
    return this.remark("comments", { ...place, text, author, resolved: false });
  }

  /** Answers a comment; returns the reply's id. */
  reply(comment: string, text: string, author: string): string {
    this.entry("comments", comment);
    return this.remark("comments", { parent: comment, text, author });
  }

  /** Changes a comment or a reply. */
  changeComment(id: string, changes: { text?: string; resolved?: boolean }): void {
    const before = this.entry("comments", id);
    this.edit(() => this.maps.comments.set(id, { ...before, ...changes }));
  }

  /** Deletes a comment with its replies, or one reply. */
  deleteComment(id: string): void {
    this.entry("comments", id);
    const replies = this.comments.find((comment) => comment.id === id)?.replies ?? [];
    this.edit(() => {
      for (const each of [id, ...replies.map((reply) => reply.id)]) this.maps.comments.delete(each);
    });
  }

  /** Tags a stretch; returns the tag's id. */
  tag(start: number, end: number, label: string, author = ""): string {
    return this.remark("tags", { ...this.anchored(start, end), label, author });
  }

  untag(id: string): void {
    this.entry("tags", id);
    this.edit(() => this.maps.tags.delete(id));
  }

  /** Makes the meeting notes say this; what equal text others write meanwhile stays. */
  writeNotes(markdown: string): void {
    this.check([], markdown);
    const old = this.notes.toString();
    const shorter = Math.min(old.length, markdown.length);
    let common = 0;
    while (common < shorter && old[common] === markdown[common]) common++;
    let after = 0;
    while (after < shorter - common && old.at(-1 - after) === markdown.at(-1 - after)) after++;
    // Not in the middle of a character.
    if (/[\uD800-\uDBFF]/.test(old[common - 1] ?? "")) common--;
    if (/[\uDC00-\uDFFF]/.test(old[old.length - after] ?? "")) after--;
    this.edit(() => {
      this.notes.delete(common, old.length - after - common);
      this.notes.insert(common, markdown.slice(common, markdown.length - after));
    });
  }

  /** Takes back the last edit made here, never anybody else's; returns whether there was one. */
  undo(): boolean {
    return this.undoManager.undo() !== null;
  }

  /** Makes again the edit that was taken back last; returns whether there was one. */
  redo(): boolean {
    return this.undoManager.redo() !== null;
  }

  /** Shows others that somebody of this name has the transcript open, from now on. */
  show(person: { name: string; colour?: string }): void {
    const { name, colour } = person;
    const user = colour === undefined ? { name } : { name, color: colour };
    this.awareness.setLocalState({ ...this.awareness.getLocalState(), user });
  }

  /**
   * Waits until the server has stored what was written up to now, with a connection or not.
   *
   * @throws {@link Forbidden} if it did not take it: the token only reads.
   * @throws {@link NotSaved} if the transcript was closed meanwhile.
   */
  async saved(): Promise<void> {
    if (await this.replication.saved()) return;
    throw this.denied ?? this.failure ?? new NotSaved();
  }

  // Inside

  private put(position: number, text: string): void {
    if (!text) return;
    this.text.insert(position, text);
    for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) {
      // It may have inherited from what stands before it to be the beginning of a turn.
      this.text.format(position + at, 1, { t: null });
    }
  }

  private putInstead(start: number, end: number, text: string): void {
    this.put(end, text);
    if (start < end) this.text.delete(start, end - start);
  }

  private anchored(start: number, end: number): Record<string, unknown> {
    this.check([start, end]);
    if (start === end) throw new RangeError("a stretch of text expected, got none");
    return anchor(this.text, start, end);
  }

  private remark(map: "comments" | "tags", fields: Record<string, unknown>): string {
    const id = randomId();
    this.edit(() => this.maps[map].set(id, { ...fields, created_ms: Date.now() }));
    return id;
  }

  private entry(map: "comments" | "tags", id: string): object {
    const entry = this.maps[map].get(id);
    if (typeof entry === "object" && entry !== null) return entry;
    throw new RangeError(`the id of one of the ${map} expected, got ${id.slice(0, 60)}`);
  }

  private turn(id: string): Turn {
    const found = this.turns.find((turn) => turn.id === id);
    if (found) return found;
    throw new RangeError(`the id of a turn expected, got ${id.slice(0, 60)}`);
  }

  private suggestion(id: string): Suggestion {
    const found = this.suggestions.find((each) => each.id === id);
    if (found) return found;
    throw new RangeError(`the id of an open suggestion expected, got ${id.slice(0, 60)}`);
  }

  private check(positions: readonly number[], text = ""): void {
    if (!text.isWellFormed()) throw new RangeError("text in Unicode expected, got half a pair");
    const bounds = [0, ...positions, this.text.length];
    if (bounds.some((bound, index) => !(bound >= (bounds[index - 1] ?? 0)))) {
      const range = `0..${this.text.length}`;
      throw new RangeError(`positions in order within ${range} expected, got ${positions}`);
    }
  }
}

function randomId(): string {
  const bytes = globalThis.crypto.getRandomValues(new Uint8Array(12));
  return btoa(String.fromCharCode(...bytes)).replace(/[+/]/g, (c) => (c === "+" ? "-" : "_"));
}
