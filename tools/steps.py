"""Runs targets of the Makefile one after the other, stops at the first that fails, and says what ran: `steps.py TARGET ...`."""

import os
import subprocess
import sys
import time

NOT_RUN = (
    ("load", "measures; run it with `make load`"),
    ("chart, docs", "the Helm chart and the documentation are not there yet"),
)


def main() -> int:
    """Returns the exit code of the step that failed, else 0."""
    steps = sys.argv[1:]
    ran: list[tuple[str, str]] = []
    code = 0
    for step in steps:
        if code:
            ran.append((step, f"not run: {ran[-1][0]} failed" if not ran[-1][1].startswith("not run") else ran[-1][1]))
            continue
        print(f"=== {step}", flush=True)
        started = time.monotonic()
        code = subprocess.run([os.environ.get("MAKE", "make"), step], check=False).returncode
        ran.append((step, f"{'FAILED' if code else 'ok'}, {time.monotonic() - started:.0f} s"))
    print("=== summary")
    for name, result in (*ran, *((name, f"not part of this: {why}") for name, why in NOT_RUN)):
        print(f"  {name:16} {result}")
    return code


if __name__ == "__main__":
    sys.exit(main())
