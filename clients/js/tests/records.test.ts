/** How answers over HTTP are read. */

import { expect, test } from "vitest";
import { Fields } from "../src/fields.js";
import { readJob } from "../src/records.js";

test("a job that failed says why, for people and for programs", () => {
  const told = { id: "7", kind: "upload", state: "failed", progress: 0, session: "s", file: null };
  const error = { code: "no_audio", message: "The file has no sound" };
  expect(readJob(new Fields({ ...told, error }))).toMatchObject({
    error: "The file has no sound",
    errorCode: "no_audio",
    over: true,
  });
  expect(readJob(new Fields({ ...told, error: null }))).toMatchObject({
    error: null,
    errorCode: null,
  });
});
