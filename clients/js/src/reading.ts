/** What an open transcript says, and how one hears of changes. */

import type { IndexeddbPersistence } from "y-indexeddb";
import type { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";
import { changed, changeOf, leaveFormats, stretchesOf, tellDelta } from "./changes.js";
import {
  asAssignments,
  asPerson,
  asRuns,
  asSayings,
  asSpeakers,
  asText,
  asTurns,
  type Meta,
  type Person,
  type Run,
  type Saying,
  type Stretch,
  type TranscriptSpeaker,
  type Turn,
} from "./document.js";
import { type Forbidden, TraxError } from "./errors.js";
import type { SessionState } from "./link.js";
import { Listeners } from "./listeners.js";
import { Anchors, asComments, asTags, type Comment, placed, type Tag } from "./remarks.js";
import type { Replication, ReplicationEvents } from "./replication.js";
import { asSuggestions, Quotes, quotedBy, type Suggestion } from "./suggestions.js";
import { Unconfirmed } from "./unconfirmed.js";

/** What `SharedTranscript.on` tells: what then stands, by whomever it was changed. */
export interface TranscriptEvents {
  turns: readonly Turn[];
  speakers: readonly TranscriptSpeaker[];
  suggestions: readonly Suggestion[];
  comments: readonly Comment[];
  tags: readonly Tag[];
  notes: string;
  meta: Meta;
  partials: readonly Saying[];
  people: readonly Person[];
  state: SessionState;
  /** Whether something that was written here may not have arrived. */
  saving: boolean;
  /** The token only reads: what was written is taken back. */
  denied: Forbidden;
  /** It cannot go on. */
  error: TraxError;
}

const MAPS = [
  "turns",
  "hturns",
  "mspeakers",
  "speakers",
  "sug",
  "sugd",
  "comments",
  "tags",
  "meta",
] as const;
type MapName = (typeof MAPS)[number];
type Part = "turns" | "speakers" | "suggestions" | "comments" | "tags" | "notes" | "meta";

const NAMED: readonly Part[] = ["speakers", "turns"];
const PARTS: Readonly<Record<MapName | "text" | "notes", readonly Part[]>> = {
  // Comments and tags stand somewhere in the text.
  text: ["turns", "comments", "tags"],
  notes: ["notes"],
  turns: ["turns"],
  hturns: ["turns"],
  mspeakers: NAMED,
  speakers: NAMED,
  sug: ["suggestions"],
  sugd: ["suggestions"],
  comments: ["comments"],
  tags: ["tags"],
  meta: ["meta"],
};

/** What is kept of each besides, until it changes. */
const KEPT: Partial<Record<keyof typeof PARTS, readonly string[]>> = {
  text: ["runs", "plain"],
  mspeakers: ["everybody", "merged", "same", "names"],
  speakers: ["everybody", "merged", "same", "names"],
  comments: ["threads"],
  tags: ["labels"],
};

/** Origin of the transactions that undo takes back. */
export const MINE = Symbol("mine");

/** The reading half of a `SharedTranscript`, which is what one opens. */
export abstract class TranscriptReading {
  /** What is said, one flat text; each turn begins after a newline. */
  readonly text: Y.Text;
  /** The meeting notes, Markdown. */
  readonly notes: Y.Text;
  /** Takes back one's own edits, and never anybody else's. */
  readonly undoManager: Y.UndoManager;
  /**
   * The same for an editor that is bound to `text`: a history of what changed the text alone, such
   * as a suggestion that was accepted, but no comment, and no name.
   */
  readonly textUndoManager: Y.UndoManager;
  /** The same for an editor that is bound to `notes`: a history of its own. */
  readonly notesUndoManager: Y.UndoManager;
  protected readonly histories: readonly Y.UndoManager[];
  private readonly unconfirmed: Unconfirmed;
  protected readonly maps: Readonly<Record<MapName, Y.Map<unknown>>>;
  protected readonly replication: Replication;
  protected readonly listeners = new Listeners<TranscriptEvents>();
  protected readonly changes = new Listeners<Record<keyof TranscriptEvents, null>>();
  protected readonly known = new Map<string, unknown>();
  private readonly places = new Quotes();
  private stretches: readonly Stretch[] | null = null;
  private readonly anchors: Readonly<Record<"comments" | "tags", Anchors>>;
  protected saying = false;
  private end: TraxError | null = null;

  /** @internal Use `openTranscript`. */
  constructor(
    /** Its id. */
    readonly id: string,
    readonly doc: Y.Doc,
    readonly awareness: Awareness,
    protected readonly kept: IndexeddbPersistence | null,
    replicate: (events: ReplicationEvents) => Replication,
  ) {
    this.text = doc.getText("text");
    this.notes = doc.getText("notes");
    this.anchors = { comments: new Anchors(this.text), tags: new Anchors(this.text) };
    this.maps = Object.fromEntries(MAPS.map((name) => [name, doc.getMap(name)])) as Record<
      MapName,
      Y.Map<unknown>
    >;
    const { hturns, speakers, sugd, comments, tags } = this.maps;
    const scope = [this.text, this.notes, hturns, speakers, sugd, comments, tags];
    this.undoManager = new Y.UndoManager(scope, { trackedOrigins: new Set([MINE]) });
    this.textUndoManager = new Y.UndoManager([this.text, hturns, sugd], {
      trackedOrigins: new Set([MINE]),
      captureTransaction: ({ changed }) => changed.has(this.text as never),
    });
    this.notesUndoManager = new Y.UndoManager(this.notes, { trackedOrigins: new Set() });
    this.histories = [this.undoManager, this.textUndoManager, this.notesUndoManager];
    this.unconfirmed = new Unconfirmed(doc);
    this.replication = replicate({
      state: (state) => this.announce("state", state),
      unconfirmed: () => {
        if (!this.saving) this.unconfirmed.clear();
        this.tellSaving();
      },
      asked: () => this.unconfirmed.asked(),
      confirmed: () => this.unconfirmed.confirmed(),
      denied: (error) => this.deny(error),
      failed: (error) => {
        this.end = error;
        this.announce("error", error);
      },
    });
    // Before anybody else observes it: they are told what changed, too.
    this.text.observe(this.follow);
    doc.on("afterTransaction", this.note);
    awareness.on("change", this.notePresence);
  }

  /** @internal */
  async open(usable: (doc: Y.Doc, error: TraxError) => boolean): Promise<void> {
    if (this.doc.store.clients.size > 0) this.replication.noteEarlier();
    let refused: TraxError | null = null;
    try {
      await this.replication.open();
    } catch (error) {
      if (!(error instanceof TraxError) || !usable(this.doc, error)) {
        await this.close();
        throw error;
      }
      refused = error;
    }
    void this.replication.run(refused);
  }

  // Reading

  /** The turns as they stand now. */
  get turns(): readonly Turn[] {
    return this.cached("turns", () => {
      const { turns, hturns } = this.maps;
      const assigned = asAssignments(turns.toJSON(), hturns.toJSON(), this.same);
      return asTurns(this.runs, assigned, this.names);
    });
  }

  /** Who speaks, as people see them. */
  get speakers(): readonly TranscriptSpeaker[] {
    return this.cached("speakers", () => this.everybody.filter(({ same }) => same === null));
  }

  /** Speakers of whom people say that they are another one (`same`). */
  get merged(): readonly TranscriptSpeaker[] {
    return this.cached("merged", () => this.everybody.filter(({ same }) => same !== null));
  }

  /** What the server would correct where people had edited, and nobody decided about yet. */
  get suggestions(): readonly Suggestion[] {
    const { sug, sugd } = this.maps;
    return this.cached("suggestions", () => {
      const open = asSuggestions(sug.toJSON(), sugd.toJSON());
      this.quotes.keep(new Set(open.map(quotedBy)));
      return open;
    });
  }

  /** What people say about the text. */
  get comments(): readonly Comment[] {
    const said = this.cached("threads", () => asComments(this.maps.comments.toJSON()));
    return this.cached("comments", () => placed(said, this.anchorsOf("comments")));
  }

  get tags(): readonly Tag[] {
    const said = this.cached("labels", () => asTags(this.maps.tags.toJSON()));
    return this.cached("tags", () => placed(said, this.anchorsOf("tags")));
  }

  /** Title, language and state; `Library.change` sets them. */
  get meta(): Meta {
    const { meta } = this.maps;
    const title = asText(meta.get("title")) ?? "";
    const state = asText(meta.get("state")) ?? "live";
    return { title, language: asText(meta.get("language")), state };
  }

  /** What is being said now, and is not final yet; nothing without a connection. */
  get partials(): readonly Saying[] {
    return [...this.others().values()].flatMap((state) => asSayings(state, this.names, this.same));
  }

  /** Who else has the transcript open and shows it. */
  get people(): readonly Person[] {
    return [...this.others()].flatMap(([client, state]) => asPerson(client, state) ?? []);
  }

  get state(): SessionState {
    return this.replication.state;
  }

  /** How many connections were lost and made again. */
  get reconnections(): number {
    return this.replication.reconnections;
  }

  /** Why it cannot go on, once it cannot. */
  get failure(): TraxError | null {
    return this.end;
  }

  /** Why nothing may be written, once the server has said so: the token only reads. */
  get denied(): Forbidden | null {
    return this.replication.denied;
  }

  /** Whether the token only reads, as far as can be told; known once `state` is `live`. */
  get readOnly(): boolean {
    return this.replication.readsOnly || this.denied !== null;
  }

  /** Whether something that was written here may not have arrived. */
  get saving(): boolean {
    return this.replication.unconfirmed > 0;
  }

  /** Listens to what changes from now on; returns how to stop. */
  on<K extends keyof TranscriptEvents>(
    type: K,
    listener: (event: TranscriptEvents[K]) => void,
  ): () => void {
    return this.listeners.on(type, listener);
  }

  /**
   * Calls when something changes, as `on` does, but reads nothing: for who looks once a frame, say.
   *
   * @returns how to stop.
   */
  onChange(part: keyof TranscriptEvents, listener: () => void): () => void {
    return this.changes.on(part, listener);
  }

  /** Closes, whatever was saved; `saved` waits for that. What this browser keeps stays. */
  async close(): Promise<void> {
    this.replication.stop();
    this.doc.off("afterTransaction", this.note);
    this.awareness.destroy();
    for (const history of [...this.histories, this.unconfirmed]) history.destroy();
    await this.kept?.destroy();
    this.doc.destroy();
  }

  // Inside

  /** The whole text without attributes, as long as nothing changes. */
  protected get plain(): string {
    return this.cached("plain", () => this.text.toString());
  }

  /** The whole text, in stretches of equal attributes. */
  get runs(): readonly Run[] {
    if (this.changing) return asRuns(stretchesOf(this.text));
    this.stretches ??= stretchesOf(this.text);
    const { stretches } = this;
    return this.cached("runs", () => asRuns(stretches));
  }

  private get everybody(): readonly TranscriptSpeaker[] {
    const { mspeakers, speakers } = this.maps;
    return this.cached("everybody", () => asSpeakers(mspeakers.toJSON(), speakers.toJSON()));
  }

  /** Who those speakers are who are other ones. */
  private get same(): ReadonlyMap<string, string> {
    return this.cached("same", () => new Map(this.merged.map(({ id, same }) => [id, same ?? id])));
  }

  protected get names(): ReadonlyMap<string, string> {
    return this.cached("names", () => new Map(this.speakers.map(({ id, name }) => [id, name])));
  }

  protected others(): Map<number, unknown> {
    const others = new Map<number, unknown>(this.awareness.getStates());
    others.delete(this.awareness.clientID);
    return others;
  }

  /** Inside of a transaction, whose changes are told at its end: until then nothing is kept. */
  private get changing(): boolean {
    return this.doc._transaction !== null;
  }

  protected get quotes(): Quotes {
    return this.changing ? new Quotes() : this.places;
  }

  private anchorsOf(name: "comments" | "tags"): Anchors {
    return this.changing ? new Anchors(this.text) : this.anchors[name];
  }

  protected cached<T>(name: string, read: () => T): T {
    if (this.changing) return read();
    if (!this.known.has(name)) this.known.set(name, read());
    return this.known.get(name) as T;
  }

  private readonly follow = (event: Y.YTextEvent, transaction: Y.Transaction): void => {
    const change = changeOf(this.text, transaction);
    tellDelta(event, change);
    if (this.stretches !== null) this.stretches = changed(this.stretches, change);
    this.places.follow(change);
    for (const anchors of Object.values(this.anchors)) anchors.follow(change);
  };

  protected readonly note = (transaction: Y.Transaction): void => {
    leaveFormats(transaction);
    const parts = new Set<Part>();
    const named = { text: this.text, notes: this.notes, ...this.maps };
    for (const [name, type] of Object.entries(named)) {
      if (!transaction.changed.has(type as never)) continue;
      for (const part of PARTS[name as keyof typeof PARTS]) parts.add(part);
      for (const kept of KEPT[name as keyof typeof KEPT] ?? []) this.known.delete(kept);
    }
    for (const part of parts) this.known.delete(part);
    for (const part of parts) this.tell(part);
    if (parts.has("speakers")) this.tell("partials");
  };

  protected readonly notePresence = (): void => {
    this.tell("partials");
    this.tell("people");
  };

  /** Tells what stands now, if anybody wants to know: it may cost a look at the whole text. */
  protected tell(part: Part | "partials" | "people"): void {
    this.changes.tell(part, null);
    if (!this.listeners.has(part)) return;
    const now = part === "notes" ? this.notes.toString() : this[part];
    this.listeners.tell(part, now as never);
  }

  private announce<K extends keyof TranscriptEvents>(type: K, event: TranscriptEvents[K]): void {
    this.changes.tell(type, null);
    this.listeners.tell(type, event);
  }

  protected tellSaving(): void {
    if (this.saying === this.saving) return;
    this.saying = this.saving;
    this.announce("saving", this.saving);
  }

  protected deny(error: Forbidden): void {
    this.unconfirmed.takeBack();
    for (const history of this.histories) history.clear();
    this.doc.on("update", this.refuse);
    void this.kept?.clearData();
    this.announce("denied", error);
  }

  /** Takes a change back after its transaction: within one, histories take that for an edit. */
  private readonly refuse = (
    _update: Uint8Array,
    _origin: unknown,
    _doc: Y.Doc,
    { local }: Y.Transaction,
  ): void => {
    if (local) queueMicrotask(() => this.unconfirmed.takeBack());
  };
}
