/** A value that follows its argument once it has rested for `restMs`, so that typing does not send a request per key. */
import { useEffect, useState } from "react";

export function useDebounced<Value>(value: Value, restMs = 150): Value {
  const [rested, setRested] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setRested(value), restMs);
    return () => clearTimeout(timer);
  }, [value, restMs]);
  return rested;
}
