/** What the keyboard does. */

import { Dialog } from "../Dialog";
import { type Key, useSay } from "../i18n";

const KEYS: readonly (readonly [string, Key])[] = [
  ["Esc Space · F4 · Ctrl+Space", "keys.play"],
  ["← → · F7 F8", "keys.skip"],
  ["↑ ↓ · F6 F9", "keys.turn"],
  ["< > · F2 F3", "keys.speed"],
  ["Alt+Enter", "keys.hear"],
  ["Click", "keys.click"],
  ["Alt+Click", "keys.altClick"],
  ["Ctrl+F · /", "keys.find"],
  ["Enter · Backspace", "keys.split"],
  ["Ctrl+Z · Ctrl+Y", "keys.undo"],
  ["? · F1", "keys.help"],
];

export function KeyHelp({ onClose }: { onClose: () => void }) {
  const say = useSay();
  return (
    <Dialog title={say("keys.title")} onClose={onClose}>
      <dl className="keys">
        {KEYS.map(([keys, key]) => (
          <div key={key}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{say(key)}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
