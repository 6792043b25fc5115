/** A small window beside what opened it; Escape or a click elsewhere closes it. */

import { type ReactNode, useEffect, useLayoutEffect, useRef } from "react";

interface Props {
  readonly anchor: Element | { getBoundingClientRect(): DOMRect };
  readonly label: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

const GAP = 6;

export function Popover({ anchor, label, onClose, children }: Props) {
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (!box.current) return;
    const around = anchor.getBoundingClientRect();
    const own = box.current.getBoundingClientRect();
    const left = Math.max(8, Math.min(around.left, innerWidth - own.width - 8));
    const below = around.bottom + GAP + own.height < innerHeight;
    const top = below ? around.bottom + GAP : Math.max(8, around.top - GAP - own.height);
    box.current.style.left = `${left}px`;
    box.current.style.top = `${top}px`;
  });
  useEffect(() => {
    const elsewhere = (event: Event) => {
      const target = event.target as Node;
      // What opened it closes it by itself.
      if (anchor instanceof Element && anchor.contains(target)) return;
      if (!box.current?.contains(target)) onClose();
    };
    const leave = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      onClose();
      if (anchor instanceof HTMLElement) anchor.focus();
    };
    document.addEventListener("pointerdown", elsewhere);
    document.addEventListener("keydown", leave);
    return () => {
      document.removeEventListener("pointerdown", elsewhere);
      document.removeEventListener("keydown", leave);
    };
  }, [anchor, onClose]);
  return (
    <div className="popover" role="dialog" aria-label={label} ref={box}>
      {children}
    </div>
  );
}
