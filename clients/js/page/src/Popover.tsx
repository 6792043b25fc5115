/** A small window beside what opened it; Escape or a click elsewhere closes it. */

import { type ReactNode, useEffect, useLayoutEffect, useRef } from "react";

interface Props {
  /** What opened it, as long as it is drawn: it may be drawn anew, and then is another element. */
  readonly anchor: () => Element | null;
  readonly label: string;
  readonly onClose: () => void;
  /** Escape was pressed; default: as `onClose`. */
  readonly onCancel?: () => void;
  readonly children: ReactNode;
}

const GAP = 6;

export function Popover({ anchor, label, onClose, onCancel = onClose, children }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const latest = useRef({ anchor, onClose, onCancel });
  latest.current = { anchor, onClose, onCancel };
  useLayoutEffect(() => {
    if (box.current) place(box.current, anchor());
  });
  useEffect(() => {
    const opener = () => latest.current.anchor();
    const follow = () => {
      if (box.current) place(box.current, opener());
    };
    const elsewhere = (event: Event) => {
      const target = event.target as Node;
      // What opened it closes it by itself.
      if (opener()?.contains(target)) return;
      if (!box.current?.contains(target)) latest.current.onClose();
    };
    const leave = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      latest.current.onCancel();
      const element = opener();
      if (element instanceof HTMLElement) element.focus();
    };
    document.addEventListener("pointerdown", elsewhere);
    document.addEventListener("keydown", leave);
    // Whatever scrolls: scrolling does not bubble.
    document.addEventListener("scroll", follow, true);
    addEventListener("resize", follow);
    return () => {
      document.removeEventListener("pointerdown", elsewhere);
      document.removeEventListener("keydown", leave);
      document.removeEventListener("scroll", follow, true);
      removeEventListener("resize", follow);
    };
  }, []);
  return (
    <div className="popover" role="dialog" aria-label={label} ref={box}>
      {children}
    </div>
  );
}

/** Puts it below its anchor, or above where there is no room; without one it stays where it is. */
function place(box: HTMLElement, anchor: Element | null): void {
  if (anchor === null) return;
  const around = anchor.getBoundingClientRect();
  const own = box.getBoundingClientRect();
  const left = Math.max(8, Math.min(around.left, innerWidth - own.width - 8));
  const below = around.bottom + GAP + own.height < innerHeight;
  const top = below ? around.bottom + GAP : Math.max(8, around.top - GAP - own.height);
  box.style.left = `${left}px`;
  box.style.top = `${top}px`;
}
