/**
 * Which server this page belongs to, and by which token one enters.
 *
 * The token comes in the address that the server prints, or in a link into one transcript, and leaves
 * the address bar at once: what stands there is copied, shown on screens and kept in histories.
 */

import { Library } from "trax-client";

/** Folder of the page: the server's address, with the path that a proxy put before it. */
export const SERVER = new URL(".", document.baseURI).href.replace(/[?#].*$/, "");

const OWN = `trax.token ${SERVER}`;
const one = (id: string) => `${OWN}t/${id}`;

/** Keeps a token that came in the address; one with a transcript counts for that only. */
export function takeToken(address: URL): void {
  const token = address.searchParams.get("token");
  if (token === null) return;
  const id = transcriptIn(address.hash);
  localStorage.setItem(id === null ? OWN : one(id), token);
  address.searchParams.delete("token");
  history.replaceState(history.state, "", address.pathname + address.search + address.hash);
}

export function keepToken(token: string): void {
  localStorage.setItem(OWN, token);
}

/** Forgets the link into a transcript, because it counts no more; returns whether there was one. */
export function forgetLink(id: string): boolean {
  const had = localStorage.getItem(one(id)) !== null;
  localStorage.removeItem(one(id));
  return had && localStorage.getItem(OWN) !== null;
}

/** The token for a transcript: that of a link into it, or else the server's own. */
export function tokenFor(id: string | null): string | null {
  return (id !== null ? localStorage.getItem(one(id)) : null) ?? localStorage.getItem(OWN);
}

export function libraryFor(id: string | null): Library {
  return new Library(SERVER, { token: tokenFor(id) });
}

/** The transcript that an address's fragment names. */
export function transcriptIn(hash: string): string | null {
  const found = /^#\/t\/([^/?#]{1,1536})$/.exec(hash);
  if (!found?.[1]) return null;
  try {
    return decodeURIComponent(found[1]);
  } catch {
    return null;
  }
}

export const hashOf = (id: string) => `#/t/${encodeURIComponent(id)}`;

/** The address of a link into a transcript. */
export const linkTo = (id: string, token: string) =>
  `${SERVER}?token=${encodeURIComponent(token)}${hashOf(id)}`;

export type Role = "owner" | "editor" | "viewer";

/** What our token may do in a transcript. */
export async function roleIn(id: string): Promise<Role> {
  const { role } = await libraryFor(id).get(id);
  return role === "owner" || role === "editor" ? role : "viewer";
}
