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

/** Where the token of a link into a transcript stands. */
const linkPlace = (id: string) => `${OWN}t/${id}`;

/** Where tokens stand that open a transcript, the stronger first: nobody is kept out by a link. */
const placesOf = (id: string | null) => (id === null ? [OWN] : [OWN, linkPlace(id)]);

/**
 * Offers a token that came in the address; one with a transcript counts for that only.
 *
 * Anybody can make a link with any token: until the server has taken it, it is this tab's alone, and
 * what was kept before stays.
 */
export function takeToken(address: URL): void {
  const token = address.searchParams.get("token");
  if (token === null) return;
  const id = transcriptIn(address.hash);
  sessionStorage.setItem(id === null ? OWN : linkPlace(id), token);
  address.searchParams.delete("token");
  history.replaceState(history.state, "", address.pathname + address.search + address.hash);
}

/** Keeps the server's own token. */
export function keepToken(token: string): void {
  sessionStorage.removeItem(OWN);
  localStorage.setItem(OWN, token);
}

/** Keeps the token for a transcript, or the server's own: the server took it. */
export function confirmToken(id: string | null): void {
  const used = usedFor(id);
  if (used?.store !== sessionStorage) return;
  localStorage.setItem(used.place, used.token);
  sessionStorage.removeItem(used.place);
}

/** Forgets a token that the server refused, where there is another to try; returns whether there is. */
export function dropToken(id: string | null): boolean {
  const [refused, next] = tokensFor(id);
  if (!refused || !next) return false;
  refused.store.removeItem(refused.place);
  return true;
}

/** The token for a transcript: the server's own, or else that of a link into it. */
export function tokenFor(id: string | null): string | null {
  return usedFor(id)?.token ?? null;
}

/** Whether one comes to a transcript by a link into it, which may have ended. */
export function comesByLink(id: string | null): boolean {
  const used = usedFor(id);
  return used !== undefined && used.place !== OWN;
}

const usedFor = (id: string | null) => tokensFor(id)[0];

/** All tokens that may count for a transcript, in the order in which they are tried. */
function tokensFor(id: string | null) {
  return placesOf(id).flatMap((place) =>
    [sessionStorage, localStorage].flatMap((store) => {
      const token = store.getItem(place);
      return token === null ? [] : [{ place, store, token }];
    }),
  );
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
