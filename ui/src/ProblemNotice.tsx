/** What went wrong and how to mend it, in the server's own words. */
import { ProblemError } from "./api.js";

export function ProblemNotice({ error, onRetry }: { error: Error; onRetry?: () => void }) {
  const { hint, requestId } = error instanceof ProblemError ? error : { hint: undefined, requestId: undefined };
  return (
    <div role="alert" className="problem">
      <strong>{error.message}</strong>
      {hint && <p>{hint}</p>}
      {requestId && <p className="small">Request {requestId}</p>}
      {onRetry && (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}
