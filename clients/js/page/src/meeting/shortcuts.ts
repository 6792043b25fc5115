/** Which keys do what, on the whole page and while one types. */

export type Command =
  | "play"
  | "back"
  | "forward"
  | "previousTurn"
  | "nextTurn"
  | "slower"
  | "faster"
  | "find"
  | "help"
  | "hear";

type Pressed = Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey">;

const ANYWHERE = new Map<string, Command>(
  Object.entries({
    F1: "help",
    F2: "slower",
    F3: "faster",
    F4: "play",
    F6: "previousTurn",
    F7: "back",
    F8: "forward",
    F9: "nextTurn",
    "Ctrl+ ": "play",
    "Ctrl+f": "find",
    "Alt+Enter": "hear",
  } as const),
);

const NOT_TYPING = new Map<string, Command>(
  Object.entries({
    " ": "play",
    ArrowLeft: "back",
    ArrowRight: "forward",
    ArrowUp: "previousTurn",
    ArrowDown: "nextTurn",
    "<": "slower",
    ">": "faster",
    "/": "find",
    "?": "help",
  } as const),
);

/** What a key asks for. @param busy - Whether the focus is on something that wants keys itself. */
export function commandOf(pressed: Pressed, busy: boolean): Command | null {
  const control = pressed.ctrlKey || pressed.metaKey ? "Ctrl+" : "";
  const alt = pressed.altKey ? "Alt+" : "";
  const name = control + alt + pressed.key;
  return ANYWHERE.get(name) ?? (busy ? null : (NOT_TYPING.get(name) ?? null));
}

/** Whether an element wants ordinary keys for itself. */
export function wantsKeys(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT|BUTTON|A)$/.test(target.tagName);
}
