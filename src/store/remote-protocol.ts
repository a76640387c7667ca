import type { MessagePort } from "node:worker_threads";
import type { Notice, PackedError } from "../base/index.js";
import type { Store } from "./contract.js";

/** Methods that are one question and one answer; `changes` and disposal have messages of their own. */
export type RemoteMethod = Exclude<keyof Store, "changes" | typeof Symbol.asyncDispose>;

/** Time as the caller has it, sent along when the host must not use its own clock. */
export interface RemoteTime {
  readonly nowMs: number;
  readonly monotonicMs: number;
}

/** From `RemoteStore` to `hostStore`. Ids are the caller's and never used twice on one port. */
export type Request =
  | {
      readonly kind: "call";
      readonly id: number;
      readonly method: RemoteMethod;
      readonly args: readonly unknown[];
      /** Whether a signal stands at the end of the arguments. */
      readonly hasSignal: boolean;
      readonly time?: RemoteTime;
    }
  /** The signal of a call, or of a subscription, has aborted. */
  | { readonly kind: "abort"; readonly id: number }
  | { readonly kind: "subscribe"; readonly id: number; readonly since: number }
  /** Asks the subscription `of` for one item: nothing is sent that was not asked for, so nothing can pile up. */
  | { readonly kind: "next"; readonly id: number; readonly of: number }
  | { readonly kind: "unsubscribe"; readonly id: number }
  /** The time of a `timer` has come. */
  | { readonly kind: "time"; readonly time: RemoteTime }
  | { readonly kind: "dispose"; readonly id: number };

/** From `hostStore` to `RemoteStore`. */
export type Response =
  | { readonly kind: "value"; readonly id: number; readonly value: unknown }
  | { readonly kind: "error"; readonly id: number; readonly error: PackedError }
  | { readonly kind: "notice"; readonly notice: Notice }
  /** The host has something to do at this time of the caller's monotonic clock, and no clock of its own. */
  | { readonly kind: "timer"; readonly atMs: number };

/** A message port with typed traffic. */
export type Port = MessagePort;

/** An item of a subscription, or its end. */
export type NextItem = { readonly done: true } | { readonly done: false; readonly item: unknown };

/**
 * Bytes that are safe to send: a view on a larger buffer would be cloned with all of that buffer, and a shared one
 * would not be cloned at all.
 */
export function compactBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteLength } = bytes;
  // Also for bytes that were transferred away, which can't be sent at all.
  if (byteLength === 0) return new Uint8Array(0);
  const isAlone = buffer instanceof ArrayBuffer && buffer.byteLength === byteLength;
  return isAlone ? (bytes as Uint8Array<ArrayBuffer>) : Uint8Array.from(bytes);
}

/** Plain data with every byte string in it made safe to send; other values are taken as they are. */
export function compactDeep(value: unknown): unknown {
  if (value instanceof Uint8Array) return compactBytes(value);
  if (Array.isArray(value)) return value.map(compactDeep);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, compactDeep(inner)]));
}
