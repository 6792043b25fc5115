/** Light, dark, or as the system has it. */

export type Theme = "auto" | "light" | "dark";
const KEPT = "trax.theme";

export function theme(): Theme {
  const kept = localStorage.getItem(KEPT);
  return kept === "light" || kept === "dark" ? kept : "auto";
}

export function showTheme(chosen: Theme): void {
  if (chosen === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
}

export function toggleTheme(): void {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const shown = theme() === "auto" ? (dark ? "dark" : "light") : theme();
  const next = shown === "dark" ? "light" : "dark";
  localStorage.setItem(KEPT, next);
  showTheme(next);
}
