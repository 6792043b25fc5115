/** What axe-core finds on a page, and a table of it for `docs/accessibility.md`. */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type axe from "axe-core";
import type { Page } from "playwright-core";
import { vi } from "vitest";

const require = createRequire(import.meta.url);
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const VERSION = (require("axe-core/package.json") as { version: string }).version;

/** A rule that does not hold, or of which axe cannot tell. */
interface Finding {
  readonly rule: string;
  readonly impact: axe.ImpactValue;
  /** Elements, as HTML. */
  readonly where: readonly string[];
  readonly why: readonly string[];
}

type Looks = Readonly<Record<string, Readonly<Record<string, Audit>>>>;

/** What all rules of axe, best practices too, say of one state of the page. */
export interface Audit {
  /** How many hold. */
  readonly passed: number;
  readonly violations: readonly Finding[];
  readonly undecided: readonly Finding[];
}

export async function audit(page: Page): Promise<Audit> {
  await page.evaluate(AXE);
  // What is drawn anew in the midst of it, as words are while they are heard, it stumbles over.
  const results = await vi.waitFor(() => page.evaluate("axe.run()") as Promise<axe.AxeResults>, {
    timeout: 10_000,
    interval: 100,
  });
  return {
    passed: results.passes.length,
    violations: results.violations.map(asFinding),
    undecided: results.incomplete.map(asFinding),
  };
}

const asFinding = ({ id, impact, nodes }: axe.Result): Finding => ({
  rule: id,
  impact: impact ?? null,
  where: nodes.map(({ html }) => html),
  why: nodes.flatMap(({ any, all, none }) => [...any, ...all, ...none].map((of) => of.message)),
});

/** What keeps people from using the page. */
export const grave = ({ violations }: Audit) =>
  violations.filter(({ impact }) => impact === "serious" || impact === "critical");

/** Of each look of the page the audits of its states, as Markdown. */
export function table(looks: Looks): string {
  const names = Object.keys(looks);
  const states = [...new Set(Object.values(looks).flatMap(Object.keys))];
  const cell = (audit: Audit | undefined) => {
    if (!audit) return "";
    const serious = grave(audit).length;
    return `${audit.passed} · ${serious} · ${audit.violations.length - serious}`;
  };
  return [
    `axe-core ${VERSION}; rules that hold · that do not, serious or critical · moderate or minor:`,
    "",
    `| state | ${names.join(" | ")} |`,
    `|---|${names.map(() => "---|").join("")}`,
    ...states.map(
      (state) => `| ${state} | ${names.map((name) => cell(looks[name]?.[state])).join(" | ")} |`,
    ),
    "",
    "Moderate or minor:",
    ...listed(looks, ({ violations }) => violations),
    "",
    "For a person to decide:",
    ...listed(looks, ({ undecided }) => undecided),
    "",
  ].join("\n");
}

/** Each rule that was found, why, and in how many states. */
function listed(looks: Looks, of: (audit: Audit) => readonly Finding[]): string[] {
  const found = new Map<string, { readonly states: Set<string>; readonly why: Set<string> }>();
  for (const [state, audit] of Object.values(looks).flatMap(Object.entries<Audit>)) {
    for (const { rule, why } of of(audit)) {
      const known = found.get(rule) ?? { states: new Set(), why: new Set() };
      found.set(rule, known);
      known.states.add(state);
      for (const each of why) known.why.add(each);
    }
  }
  if (found.size === 0) return ["nothing."];
  const lines = [...found].map(([rule, { states, why }]) => {
    return `- \`${rule}\`, in ${states.size} states: ${[...why].join("; ")}.`;
  });
  return ["", ...lines];
}
