/** A time or a duration, as Temporal's API sends it. */
interface ProtobufTime {
  seconds?: unknown;
  nanos?: number | null;
}

export function toMs({ seconds, nanos }: ProtobufTime): number {
  return Number(seconds ?? 0) * 1_000 + Math.floor((nanos ?? 0) / 1e6);
}

/** ISO 8601; `null`: it is not set, which Temporal also says with the year 1 or 1970. */
export function toIso(time: ProtobufTime | null | undefined): string | null {
  const ms = time ? toMs(time) : 0;
  return ms <= 0 ? null : new Date(ms).toISOString();
}
