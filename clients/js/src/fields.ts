/** Reads what a server sent, field by field, so that nothing unexpected gets further than here. */

import { ProtocolViolation } from "./errors.js";

/** Largest magnitude of an integer on the wire. */
export const MAX_INTEGER = Number.MAX_SAFE_INTEGER;

/** Whether a value is a map, as it comes from JSON or msgpack. */
export function isMap(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Names a value's kind; its content may be spoken words. */
export function kind(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (isMap(value)) return "a map";
  switch (typeof value) {
    case "boolean":
      return "a boolean";
    case "string":
      return "text";
    case "number":
      return Number.isInteger(value) ? "an integer" : "a float";
    default:
      return value instanceof Uint8Array ? "bytes" : "another type";
  }
}

/** Reads the fields of one map, so that every error names its field. */
export class Fields {
  constructor(
    private readonly fields: Readonly<Record<string, unknown>>,
    private readonly prefix = "",
  ) {}

  /** The value of a field, or `undefined`. */
  raw(name: string): unknown {
    return Object.hasOwn(this.fields, name) ? this.fields[name] : undefined;
  }

  text(name: string): string {
    const value = this.raw(name);
    if (typeof value === "string") return value;
    throw this.violation(name, "text", kind(value));
  }

  /** A text that may be nil or left out. */
  textOrNull(name: string): string | null {
    return this.isNil(name) ? null : this.text(name);
  }

  /** An integer that counts or measures something. */
  count(name: string, least = 0, most = MAX_INTEGER): number {
    const value = this.raw(name);
    if (typeof value !== "number" || !Number.isInteger(value)) {
      throw this.violation(name, "an integer", kind(value));
    }
    if (value < least || value > most) throw this.violation(name, `${least}..${most}`, `${value}`);
    return value;
  }

  /** Such an integer that may be nil or left out. */
  countOrNull(name: string): number | null {
    return this.isNil(name) ? null : this.count(name);
  }

  flag(name: string): boolean {
    const value = this.raw(name);
    if (typeof value === "boolean") return value;
    throw this.violation(name, "a boolean", kind(value));
  }

  /** A boolean that may be nil or left out. */
  flagOrFalse(name: string): boolean {
    return !this.isNil(name) && this.flag(name);
  }

  /** A map within this one. */
  within(name: string): Fields {
    const value = this.raw(name);
    if (isMap(value)) return new Fields(value, `${this.prefix}${name}.`);
    throw this.violation(name, "a map", kind(value));
  }

  /** A map that may be nil or left out. */
  withinOrNull(name: string): Fields | null {
    return this.isNil(name) ? null : this.within(name);
  }

  /** A list of anything. */
  list(name: string): readonly unknown[] {
    const value = this.raw(name);
    if (Array.isArray(value)) return value;
    throw this.violation(name, "a list", kind(value));
  }

  /** A list of maps. */
  items(name: string, least = 0): Fields[] {
    const items = this.list(name);
    if (items.length < least) throw this.violation(name, "at least one", "none");
    return items.map((item) => {
      if (isMap(item)) return new Fields(item, `${this.prefix}${name}.`);
      throw this.violation(name, "a list of maps", kind(item));
    });
  }

  private isNil(name: string): boolean {
    const value = this.raw(name);
    return value === null || value === undefined;
  }

  private violation(name: string, expected: string, got: string): ProtocolViolation {
    return new ProtocolViolation(expected, got, this.prefix + name);
  }
}
