/**
 * Refuses what is too long to be inserted at once.
 *
 * An insertion is one update, of which the server takes at most 4 MiB: a longer one would end the
 * connection, and again each time that it is offered.
 */

import { EditorState, type Extension, StateEffect, Transaction } from "@codemirror/state";
import { EditorView } from "@codemirror/view";

/** UTF-16 units that people insert at once; each becomes at most three bytes. */
export const MOST_AT_ONCE = 1_000_000;

/** In the place of a change that was refused. */
export const refused = StateEffect.define<null>();

/** Takes nothing longer from people; what others wrote, and what is undone, passes. */
export const bound = EditorState.transactionFilter.of((transaction) => {
  if (transaction.annotation(Transaction.userEvent) === undefined) return transaction;
  let inserted = 0;
  transaction.changes.iterChanges((_from, _to, _start, _end, text) => {
    inserted += text.length;
  });
  return inserted > MOST_AT_ONCE ? { effects: refused.of(null) } : transaction;
});

/** Tells with each change of the text, or refusal of one, whether it was refused. */
export function bounded(onChange: (tooLong: boolean) => void): Extension {
  const told = EditorView.updateListener.of(({ transactions, docChanged }) => {
    const tooLong = transactions.some(({ effects }) => effects.some((each) => each.is(refused)));
    if (tooLong || docChanged) onChange(tooLong);
  });
  return [bound, told];
}
