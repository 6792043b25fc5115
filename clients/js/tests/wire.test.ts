/** The codec obeys `clients/vectors`: every frame of a server, and every one that a client writes. */

import { readFileSync } from "node:fs";
import { decode as unpack } from "@msgpack/msgpack";
import { describe, expect, test } from "vitest";
import { ProtocolViolation } from "../src/errors.js";
import { type ClientMessage, startOf } from "../src/requests.js";
import { decode, encode, type Frame, onWire, type Subprotocol } from "../src/wire.js";

interface Vector {
  readonly name: string;
  readonly frame: { hex: string } | { text: string };
  readonly message?: Record<string, unknown> | null;
  readonly error?: string;
  readonly field?: string | null;
  readonly optional?: boolean;
}

interface Vectors {
  readonly subprotocol: Subprotocol;
  readonly vectors: readonly Vector[];
}

function vectors(name: string): Vectors {
  return JSON.parse(readFileSync(new URL(`../../vectors/${name}.json`, import.meta.url), "utf8"));
}

function frameOf(vector: Vector): Frame {
  if ("text" in vector.frame) return vector.frame.text;
  return new Uint8Array(Buffer.from(vector.frame.hex, "hex"));
}

const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const camel = (name: string) => name.replace(/_[a-z]/g, (pair) => (pair[1] ?? "").toUpperCase());

/** A message of ours as the vectors write it. */
function asVector(message: unknown): unknown {
  const written = onWire(message) as Record<string, unknown>;
  return { ...written, type: snake(String(written.type)) };
}

/** What a vector says as a message of ours. */
function asMessage(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asMessage);
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  const fields = Object.entries(value);
  if (fields[0]?.[0] === "$hex") return new Uint8Array(Buffer.from(String(fields[0][1]), "hex"));
  return Object.fromEntries(fields.map(([name, field]) => [camel(name), asMessage(field)]));
}

for (const file of ["server-msgpack", "server-json"]) {
  const { subprotocol, vectors: all } = vectors(file);

  describe(file, () => {
    test.each(all.filter(({ message }) => message !== undefined))("takes $name", (vector) => {
      const message = decode(frameOf(vector), subprotocol);
      const shown = message === null ? null : asVector(message);
      expect(shown).toEqual(vector.message);
    });

    test.each(all.filter(({ error }) => error !== undefined))("refuses $name", (vector) => {
      let refusal: unknown = null;
      try {
        decode(frameOf(vector), subprotocol);
      } catch (error) {
        refusal = error;
      }
      if (refusal === null && vector.optional) return;
      expect(refusal).toBeInstanceOf(ProtocolViolation);
      expect((refusal as ProtocolViolation).field).toBe(vector.field);
    });
  });
}

for (const file of ["client-msgpack", "client-json"]) {
  const { subprotocol, vectors: all } = vectors(file);
  const said = all.filter(({ message }) => message !== undefined && message !== null);

  describe(file, () => {
    test.each(said)("writes $name", (vector) => {
      const message = asMessage(vector.message) as ClientMessage;
      const frame = encode(message, subprotocol);
      if (message.type === "audio" && subprotocol === "trax.v1.json") {
        expect(frame).toEqual(message.pcm);
        return;
      }
      const read = typeof frame === "string" ? JSON.parse(frame) : unpack(frame);
      expect(asMessage(read)).toEqual(asMessage(vector.message));
    });

    test("fills in the defaults of the specification", () => {
      const defaults = said.find(({ name }) => name === "start with defaults")?.message;
      // Nil is the default too; the vector has it filled in.
      expect({ ...(onWire(startOf({})) as object), max_delay_ms: 4_000 }).toEqual(defaults);
    });
  });
}

test("keys of an object's own making are no types", () => {
  expect(decode('{"type":"constructor"}', "trax.v1.json")).toBeNull();
  expect(decode('{"type":"pong","id":1,"__proto__":{"a":1}}', "trax.v1.json")).toEqual({
    type: "pong",
    id: 1,
  });
});
