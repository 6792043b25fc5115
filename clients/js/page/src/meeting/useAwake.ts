/** Keeps the screen on: one that goes dark ends recording on phones. */

import { useEffect } from "react";

/**
 * Holds a screen wake lock (https://www.w3.org/TR/screen-wake-lock/), where browsers have one.
 *
 * It ends whenever the page is hidden, and is asked for again once it is seen. A browser may refuse
 * it, of a battery that is low, say: the recording goes on all the same.
 */
export function useAwake(wanted: boolean): void {
  useEffect(() => {
    if (!wanted || !("wakeLock" in navigator)) return;
    let lock: WakeLockSentinel | null = null;
    let over = false;
    const hold = async () => {
      if (document.visibilityState !== "visible") return;
      lock = await navigator.wakeLock.request("screen").catch(() => null);
      if (over) void lock?.release();
    };
    const seen = () => void hold();
    seen();
    document.addEventListener("visibilitychange", seen);
    return () => {
      over = true;
      document.removeEventListener("visibilitychange", seen);
      void lock?.release();
    };
  }, [wanted]);
}
