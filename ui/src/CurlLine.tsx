/** The shown request as a command that can be copied. */
import { useEffect, useState } from "react";
import { type ApiRequest, curlLine } from "./api.js";

export function CurlLine({ request }: { request: ApiRequest }) {
  const line = curlLine(request);
  const [copied, setCopied] = useState("");
  useEffect(() => {
    if (copied === "") return;
    const timer = setTimeout(() => setCopied(""), 2000);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => {
    await navigator.clipboard.writeText(line);
    setCopied(line);
  };
  return (
    <div className="curl">
      <code title={line}>{line}</code>
      {navigator.clipboard && (
        <button type="button" onClick={() => void copy()}>
          <span aria-live="polite">{copied === line ? "Copied" : "Copy"}</span>
        </button>
      )}
    </div>
  );
}
