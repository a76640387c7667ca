/**
 * How a field's bytes are laid out (https://protobuf.dev/programming-guides/encoding/, "Message Structure"). A field begins with a
 * tag, the varint `field number << 3 | wire type`:
 *
 *     0 varint   7 bits a byte, least significant first; the eighth says that more follow; 10 bytes at most
 *     1 fixed64  8 bytes, little endian
 *     2 length   a varint, then so many bytes: strings, bytes, messages, packed lists
 *     3, 4       a group's start and end; nobody writes them any more
 *     5 fixed32  4 bytes, little endian
 */
export const wireTypes = {
  varint: 0,
  fixed64: 1,
  length: 2,
  groupStart: 3,
  groupEnd: 4,
  fixed32: 5,
} as const;
