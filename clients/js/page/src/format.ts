/** How times and dates are written. */

/** `1:05`, or from an hour on `1:01:05`. */
export function clock(ms: number): string {
  const all = Math.max(0, Math.floor(ms / 1000));
  const [hours, minutes, seconds] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  const two = (value: number) => String(value).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}

/** `0:37–0:41`, or one time where both are the same second. */
export function span(startMs: number, endMs: number): string {
  const [start, end] = [clock(startMs), clock(endMs)];
  return start === end ? start : `${start}–${end}`;
}

/** When something was, in a language as the browser's person has it: `en-GB` has no AM and PM. */
export function date(
  unixMs: number,
  tongue: string,
  now = Date.now(),
  languages = navigator.languages,
): string {
  const recent = now - unixMs < 300 * 86_400_000;
  const locale = languages.find((tag) => tag.split("-")[0] === tongue) ?? tongue;
  return new Intl.DateTimeFormat(locale, {
    ...(recent ? { weekday: "short", hour: "2-digit", minute: "2-digit" } : { year: "numeric" }),
    day: "numeric",
    month: "short",
  }).format(unixMs);
}
