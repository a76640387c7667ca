/** A sample's value. Whole numbers below 10^21 have all their digits and no exponent, and -0 has no sign. */
export function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  if (value === Number.NEGATIVE_INFINITY) return "-Inf";
  return String(value);
}

/**
 * An edge as OpenMetrics wants it, because labels are compared as texts: the shortest digits, always with a point or an
 * exponent, which is used below 10^-4 and from 10^6 on (OpenMetrics 1.0, "Canonical Numbers").
 */
export function canonicalNumberText(value: number): string {
  if (!Number.isFinite(value)) return numberText(value);
  const [digits = "0", power = "0"] = value.toExponential().split("e");
  const exponent = Number(power);
  if (exponent < -4 || exponent >= 6) {
    const size = String(Math.abs(exponent)).padStart(2, "0");
    return `${digits}e${exponent < 0 ? "-" : "+"}${size}`;
  }
  const plain = numberText(value);
  return plain.includes(".") ? plain : `${plain}.0`;
}
