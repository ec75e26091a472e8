"""Reads event files with TensorBoard's own reader and compares the losses with those of the results. Called by check-tensorboard.mjs."""
import json
import sys
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

given = json.load(sys.stdin)
for label, losses in given["expected"].items():
    events = EventAccumulator(str(Path(given["folder"]) / label / "test"))
    events.Reload()
    tags = events.Tags()["scalars"]
    assert tags, f"{label}: no scalars"
    if losses is not None:
        read = [(event.step, event.value) for event in events.Scalars("loss")]
        assert [step for step, _ in read] == list(range(1, len(losses) + 1)), (label, read)
        assert all(abs(value - loss) <= 1e-6 * max(1, abs(loss)) for (_, value), loss in zip(read, losses)), (label, read, losses)
    print(f"{label}: {', '.join(f'{tag} ({len(events.Scalars(tag))} steps)' for tag in tags)}")
