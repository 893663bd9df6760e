/** When schedules are due, in words and as moments: asked of the server once per schedule, as it is typed. */

import { useEffect } from "react";
import { create } from "zustand";

const PAUSE_MS = 250;
const KEPT = 200;

const useTimes = create(() => ({}));
let timer = 0;

const keyOf = ({ cron, interval_seconds: seconds, timezone = "UTC" }) => {
  const query = new URLSearchParams({ timezone });
  if (cron !== undefined && cron !== null) query.set("cron", cron);
  if (seconds !== undefined && seconds !== null) query.set("interval_seconds", seconds);
  return query.toString();
};

async function ask(key) {
  if (key in useTimes.getState()) return;
  if (Object.keys(useTimes.getState()).length >= KEPT) useTimes.setState({}, true);
  useTimes.setState({ [key]: null });
  try {
    const answer = await fetch(`/api/timetable?${key}`);
    const told = await answer.json();
    useTimes.setState({ [key]: answer.ok ? told : { error: told.detail ?? "It cannot be read." } });
  } catch {
    useTimes.setState((s) => Object.fromEntries(Object.entries(s).filter(([k]) => k !== key)), true);
  }
}

/** `{words, fire_times}` or `{error}` of a schedule; null until the server has answered. */
export function useTimetable(schedule, isTyped = false) {
  const key = keyOf(schedule);
  const told = useTimes((s) => s[key] ?? null);
  useEffect(() => {
    if (!isTyped) return void ask(key);
    clearTimeout(timer);
    timer = setTimeout(() => ask(key), PAUSE_MS);
    return undefined;
  }, [key, isTyped]);
  return told;
}
