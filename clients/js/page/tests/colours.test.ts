/** The page's colours, as numbers: whether they can be read, and told apart. */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const CSS = readFileSync(new URL("../src/styles/base.css", import.meta.url), "utf8");
const THEMES = ["light", "dark"] as const;
type Rgb = readonly [number, number, number];

/** A colour of a theme, in linear light. */
function colour(name: string, theme: (typeof THEMES)[number]): Rgb {
  const found = new RegExp(`--${name}: light-dark\\((#\\w+), (#\\w+)\\)`).exec(CSS);
  const hex = found?.[theme === "light" ? 1 : 2]?.slice(1) ?? "";
  const long = hex.length === 3 ? hex.replace(/./g, "$&$&") : hex;
  expect(long, name).toMatch(/^[0-9a-f]{6}$/);
  const [r, g, b] = [0, 2, 4].map((at) => {
    const share = Number.parseInt(long.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return [r ?? 0, g ?? 0, b ?? 0];
}

/** WCAG 2.2, "contrast ratio". */
function contrast(one: Rgb, other: Rgb): number {
  const luminance = ([r, g, b]: Rgb) => 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
  const [a, b] = [luminance(one), luminance(other)];
  return Math.max(a, b) / Math.min(a, b);
}

/** Place in OKLab (Ottosson 2020), where distances are as people see them. */
function perceived([r, g, b]: Rgb): Rgb {
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

const VOICES = Array.from({ length: 9 }, (_, number) => `v${number}`);

test.each(THEMES)("names and words can be read, %s", (theme) => {
  for (const name of [...VOICES, "ink", "soft", "accent", "bad", "busy"]) {
    for (const ground of ["paper", "raised"]) {
      const ratio = contrast(colour(name, theme), colour(ground, theme));
      expect(ratio, `${name} on ${ground}`).toBeGreaterThanOrEqual(4.5);
    }
  }
});

test.each(THEMES)("no two voices look alike, %s", (theme) => {
  const places = VOICES.map((name) => perceived(colour(name, theme)));
  places.forEach((place, index) => {
    for (const other of places.slice(index + 1)) {
      const apart = Math.hypot(...place.map((value, axis) => value - (other[axis] ?? 0)));
      expect(apart).toBeGreaterThan(0.12);
    }
  });
});
