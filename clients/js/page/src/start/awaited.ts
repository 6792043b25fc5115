/**
 * Transcripts that were made for a recording which has not arrived.
 *
 * This browser remembers them, so that a page that was left in the midst of sending leaves no empty
 * transcript behind that nobody understands.
 */

import { SERVER } from "../server";

const keyOf = (id: string) => `trax.awaits ${SERVER}t/${id}`;

/** Whether a transcript still waits for its recording. */
export const isAwaited = (id: string): boolean => localStorage.getItem(keyOf(id)) !== null;

export const setAwaited = (id: string): void => localStorage.setItem(keyOf(id), "1");

/** It has arrived, or never will. */
export const clearAwaited = (id: string): void => localStorage.removeItem(keyOf(id));
