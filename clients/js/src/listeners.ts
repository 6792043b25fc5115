/** Listeners of typed events: the few lines of an emitter that a typed interface needs. */

/** Who listens to which event; owned by what tells. */
export class Listeners<Events> {
  private readonly byType = new Map<keyof Events, Set<(event: never) => void>>();

  /** Listens from now on; returns how to stop. */
  on<K extends keyof Events>(type: K, listener: (event: Events[K]) => void): () => void {
    const heard = this.byType.get(type) ?? new Set();
    this.byType.set(type, heard);
    heard.add(listener);
    return () => heard.delete(listener);
  }

  /** Tells whoever listens. A listener that throws keeps nobody else from hearing it. */
  tell<K extends keyof Events>(type: K, event: Events[K]): void {
    for (const listener of [...(this.byType.get(type) ?? [])]) {
      try {
        (listener as (event: Events[K]) => void)(event);
      } catch (error) {
        // The caller's mistake, reported as one of an event handler is, and not swallowed.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  /** Whether anybody listens to an event. */
  has(type: keyof Events): boolean {
    return (this.byType.get(type)?.size ?? 0) > 0;
  }
}
