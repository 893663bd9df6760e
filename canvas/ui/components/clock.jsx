// Moments and durations as people say them, in the browser's own language of time; one timer serves all of them.
import { useSyncExternalStore } from "react";

const listeners = new Set();
let now = Date.now();
let timer = null;

function subscribe(listener) {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = Date.now();
    listeners.forEach((each) => each());
  }, 1000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = null;
    }
  };
}

const useNow = (isTicking = true) =>
  useSyncExternalStore(isTicking ? subscribe : () => () => {}, () => now, () => now);

const parse = (text) => (text ? new Date(text.replace(" ", "T")) : null);

const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60]];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });
const precise = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const inZone = (timezone, parts) => new Intl.DateTimeFormat("en-GB", { ...parts, timeZone: timezone || undefined });

function sayRelative(date) {
  const seconds = (date.getTime() - Math.max(now, Date.now() - 1000)) / 1000;
  const [unit, size] = UNITS.find(([, each]) => Math.abs(seconds) >= each) ?? [null, 1];
  if (unit === null) return seconds > 0 ? "in a moment" : "just now";
  if (unit === "day" && seconds < -30 * size) return day.format(date);
  return relative.format(Math.trunc(seconds / size), unit);
}

export function sayDuration(seconds) {
  if (seconds < 1) return `${Math.max(Math.round(seconds * 1000), 0)} ms`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.floor(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  if (hours >= 48) return `${Math.floor(hours / 24)} d ${hours % 24} h`;
  return hours > 0 ? `${hours} h ${minutes} min` : `${minutes} min ${whole % 60} s`;
}

/** A moment, relative to now; the exact one on hover. */
export function Ago({ at, none = "never" }) {
  useNow();
  const date = parse(at);
  if (date === null) return <span>{none}</span>;
  return <time dateTime={date.toISOString()} title={precise.format(date)} suppressHydrationWarning>{sayRelative(date)}</time>;
}

/** How long something took, or has been going on for. */
export function Elapsed({ since, until }) {
  useNow(Boolean(since && !until));
  const [from, to] = [parse(since), parse(until)];
  if (from === null) return <span>–</span>;
  const seconds = ((to?.getTime() ?? Date.now()) - from.getTime()) / 1000;
  return <span suppressHydrationWarning>{to === null ? sayDuration(Math.floor(Math.max(seconds, 0))) : sayDuration(seconds)}</span>;
}

/** Moments in a timezone, the day said once: "Fri 20 Nov 14:16, 14:18 · Sat 21 Nov 02:00". */
export function DueTimes({ times, timezone }) {
  const dayOf = inZone(timezone, { weekday: "short", day: "numeric", month: "short" });
  const timeOf = inZone(timezone, { hour: "2-digit", minute: "2-digit" });
  const days = new Map();
  for (const date of times.map(parse)) {
    const day = dayOf.format(date);
    days.set(day, [...(days.get(day) ?? []), timeOf.format(date)]);
  }
  const text = [...days].map(([day, moments]) => `${day} ${moments.join(", ")}`).join(" · ");
  return <span title={`${text} (${timezone})`}>{text}</span>;
}
