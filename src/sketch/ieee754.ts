/**
 * One double, seen as its two 32-bit words: store into `double[0]`, load from `words[highWord]` and `words[lowWord]`.
 * Shared by the whole thread; nothing may run between the store and the loads.
 *
 *     high word   31 sign · 30..20 exponent + 1023 (0 for subnormals) · 19..0 upper bits of the mantissa
 *     low word    31..0 lower bits of the mantissa
 */
export const double: Float64Array = new Float64Array(1);
export const words: Uint32Array = new Uint32Array(double.buffer);

const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
export const highWord: 0 | 1 = isLittleEndian ? 1 : 0;
export const lowWord: 0 | 1 = isLittleEndian ? 0 : 1;
