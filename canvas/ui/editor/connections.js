/** The connections there are: as the page was opened, then as they are whenever somebody comes back to it. */

import { create } from "zustand";

export const useConnections = create(() => ({ list: null }));

export async function refreshConnections() {
  const answer = await fetch("/api/connections").catch(() => null);
  if (!answer?.ok) return;
  useConnections.setState({ list: (await answer.json()).map(({ name, kind }) => ({ name, kind })) });
}
