/** What was written into a document and its server may not have: to be taken back if it refuses it. */

import * as Y from "yjs";

/**
 * All local changes since the last that the server was known to have, whatever their origin, also
 * what histories took back and made again; owned by a `SharedTranscript`.
 */
export class Unconfirmed {
  /** One change for each question whether the server has it. */
  private readonly changes: Y.UndoManager;
  /** How many of them the server was asked about last. */
  private pending = 0;

  constructor(private readonly doc: Y.Doc) {
    this.changes = new Y.UndoManager(doc, {
      trackedOrigins: new AnyOrigin(),
      captureTransaction: ({ local }) => local,
      captureTimeout: Number.POSITIVE_INFINITY,
    });
  }

  /** The server is asked whether it has all that was written up to now. */
  asked(): void {
    this.changes.stopCapturing();
    this.pending = this.changes.undoStack.length;
  }

  /** It has what it was asked about last. */
  confirmed(): void {
    this.changes.undoStack.splice(0, this.pending);
    this.pending = 0;
  }

  /** It has everything. */
  clear(): void {
    this.changes.clear();
    this.pending = 0;
  }

  /** Takes back what it does not have: what stands here shall stand there. */
  takeBack(): void {
    this.doc.transact((transaction) => {
      for (const { deletions } of this.changes.undoStack) {
        Y.iterateDeletedStructs(transaction, deletions, (struct) => {
          // Else what a history made again counts as restored, though it goes with the insertions.
          if (struct instanceof Y.Item) struct.redone = null;
        });
      }
    });
    while (this.changes.undo() !== null);
    this.clear();
  }

  destroy(): void {
    this.changes.destroy();
  }
}

/** Has a history track whatever its `captureTransaction` takes. */
class AnyOrigin extends Set<unknown> {
  override has(): boolean {
    return true;
  }
}
