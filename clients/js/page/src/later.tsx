/** Parts of the page that are fetched behind the rest. */

import {
  Component,
  type ComponentType,
  createElement,
  lazy,
  type ReactNode,
  Suspense,
} from "react";

/**
 * A component whose code is fetched when it is first shown. Nothing stands in its place until then,
 * or where it cannot be fetched: a network that is away takes nothing else of the page along.
 */
export function later<P extends object>(fetch: () => Promise<ComponentType<P>>): ComponentType<P> {
  const Part = lazy(async () => ({ default: await fetch() }));
  return (props: P) => <Fetched>{createElement(Part as ComponentType<P>, props)}</Fetched>;
}

class Fetched extends Component<{ readonly children: ReactNode }, { missing: boolean }> {
  override state = { missing: false };

  static getDerivedStateFromError() {
    return { missing: true };
  }

  override render() {
    return this.state.missing ? null : <Suspense>{this.props.children}</Suspense>;
  }
}
