/** Parts of the page that are fetched behind the rest. */

import {
  Component,
  type ComponentType,
  createElement,
  lazy,
  type ReactNode,
  Suspense,
} from "react";
import { Dialog } from "./Dialog";
import { useSay } from "./i18n";

type Retry = { readonly onRetry: () => void };

interface Places<P> {
  /** What stands in its place until it is there; nothing unless told. */
  readonly waiting?: ReactNode;
  /** What stands there when it could not be fetched. */
  readonly missing?: ComponentType<P & Retry>;
}

/**
 * A component whose code is fetched when it is first shown.
 *
 * Where that fails, its place says so, with a button to try again: a network that is away takes
 * nothing else of the page along. Nor does a part that breaks.
 */
export function later<P extends object>(
  fetch: () => Promise<ComponentType<P>>,
  { waiting, missing = Missing }: Places<P> = {},
): ComponentType<P> {
  // React keeps a failure as it keeps a success: each try is a component of its own.
  const attempt = () => lazy(async () => ({ default: await fetch() })) as ComponentType<P>;
  let part = attempt();
  return (props: P) => (
    <Fetched
      waiting={waiting}
      part={() => createElement(part, props)}
      missing={(onRetry) => createElement(missing, { ...props, onRetry })}
      failed={() => {
        part = attempt();
      }}
    />
  );
}

/** The same for a window over the page: one that is missing can be closed as well. */
export function laterDialog<P extends { readonly onClose: () => void }>(
  fetch: () => Promise<ComponentType<P>>,
): ComponentType<P> {
  return later(fetch, { missing: MissingDialog });
}

interface Props {
  readonly waiting: ReactNode;
  readonly part: () => ReactNode;
  readonly missing: (onRetry: () => void) => ReactNode;
  /** The next time is another attempt. */
  readonly failed: () => void;
}

class Fetched extends Component<Props, { missing: boolean }> {
  override state = { missing: false };

  static getDerivedStateFromError() {
    return { missing: true };
  }

  override componentDidCatch() {
    this.props.failed();
  }

  override render() {
    const { waiting, part, missing } = this.props;
    if (this.state.missing) return missing(() => this.setState({ missing: false }));
    return <Suspense fallback={waiting}>{part()}</Suspense>;
  }
}

/** What stands in the place of a part that could not be fetched. */
export function Missing({ onRetry }: Retry) {
  const say = useSay();
  return (
    <div role="alert" className="problem">
      {say("app.missing")} <Again onRetry={onRetry} />
    </div>
  );
}

function MissingDialog({ onRetry, onClose }: Retry & { readonly onClose: () => void }) {
  const say = useSay();
  return (
    <Dialog title={say("app.missing")} onClose={onClose}>
      <Again onRetry={onRetry} />
    </Dialog>
  );
}

/** Older browsers never fetch again what they could not fetch (whatwg/html#10327). */
function Again({ onRetry }: Retry) {
  const say = useSay();
  return (
    <>
      {say("app.missingHint")}{" "}
      <button type="button" onClick={onRetry}>
        {say("app.retry")}
      </button>
    </>
  );
}
