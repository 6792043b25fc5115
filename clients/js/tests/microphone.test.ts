/** What a microphone does where the browser does not what it should; all else in `browser.test.ts`. */

import { afterEach, expect, test, vi } from "vitest";
import { Microphone, MicrophoneError } from "../src/index.js";

afterEach(() => vi.unstubAllGlobals());

test("a browser that opens no sound is told, and does not go on to record", async () => {
  const track = { stop: vi.fn() };
  const stream = { getTracks: () => [track], getAudioTracks: () => [track] };
  vi.stubGlobal("navigator", { mediaDevices: { getUserMedia: async () => stream } });
  vi.stubGlobal("AudioWorkletNode", class {});
  vi.stubGlobal(
    "AudioContext",
    class {
      constructor() {
        throw new DOMException("too many are open", "NotSupportedError");
      }
    },
  );
  const opening = Microphone.open();
  await expect(opening).rejects.toBeInstanceOf(MicrophoneError);
  await expect(opening).rejects.toMatchObject({ reason: "unsupported" });
  expect(track.stop).toHaveBeenCalledOnce();
});
