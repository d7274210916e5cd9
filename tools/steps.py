#!/usr/bin/env python3
"""Runs targets of the Makefile one after the other, stops at the first that fails, and says what ran: `steps.py TARGET ...`."""

import os
import subprocess
import sys
import time

NOT_RUN = (("helm, argo cd", "they are not there yet"),)


def main() -> int:
    """Returns the exit code of the step that failed, else 0."""
    ran: list[tuple[str, str]] = []
    code, failed = 0, ""
    for step in sys.argv[1:]:
        if failed:
            ran.append((step, f"not run, because {failed} failed"))
            continue
        print(f"=== {step}", flush=True)
        started = time.monotonic()
        code = subprocess.run([os.environ.get("MAKE", "make"), step], check=False).returncode
        failed = step if code else ""
        ran.append((step, f"{'FAILED' if code else 'ok'}, {time.monotonic() - started:.0f} s"))
    print("=== summary")
    for name, result in ran:
        print(f"  {name:16} {result}")
    for name, why in NOT_RUN:
        print(f"  {name:16} not part of this: {why}")
    return code


if __name__ == "__main__":
    sys.exit(main())
