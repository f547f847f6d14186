"""`python -m lendconsole.devstack start|stop|status`"""

from __future__ import annotations

import sys
import time

from lendconsole import devstack


def main(arguments: list[str]) -> int:
    command = arguments[0] if arguments else "status"
    if len(arguments) > 1 or command not in {"start", "stop", "status"}:
        print("Usage: python -m lendconsole.devstack [start|stop|status]", file=sys.stderr)
        return 2
    began = time.monotonic()
    try:
        if command == "start":
            devstack.ensure()
        elif command == "stop":
            devstack.stop()
    except devstack.DevstackError as problem:
        print(problem, file=sys.stderr)
        return 1
    state = devstack.status()
    shown = ", ".join(f"{name} {'up' if up else 'down'}" for name, up in state.items())
    print(f"{shown} ({devstack.PLACES.run}, {time.monotonic() - began:.2f} s)")
    return 0 if command == "stop" or all(state.values()) else 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
