"""``make play``: see :mod:`playground.session`. Ctrl-C ends everything that was started."""

from __future__ import annotations

import argparse
import os
import pathlib
import signal
import sys
import tempfile

from playground.place import DIRECTORY, Place, PlaceTakenError


def main() -> int:
    """Run the playground until Ctrl-C; 0 if it ended as it was asked to."""
    parser = argparse.ArgumentParser(prog="python -m playground", description=__doc__)
    parser.add_argument("--directory", type=pathlib.Path, default=DIRECTORY, help="where all state goes")
    place = Place(parser.parse_args().directory)
    for number in _ENDING:
        signal.signal(number, _interrupt)
    try:
        with place.taken():
            return _play(place)
    except PlaceTakenError as taken:
        print(taken, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("The playground has ended, with everything that it had started.", flush=True)
        return 0


def _play(place: Place) -> int:
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"
    tempfile.tempdir = os.environ["TMPDIR"] = str(place.temporary)
    print("The playground starts. This takes about half a minute.", flush=True)
    from demo.environment import EMULATOR_PYTHON
    from encord_emulator.process import EmulatorError
    from playground.session import started
    from tests.deployment.polling import DeploymentError

    if not EMULATOR_PYTHON.exists():
        print("The emulator's environment is missing. Run `make play`, which builds it.", file=sys.stderr)
        return 1
    try:
        with started(place) as session:
            place.publish(session.airflow.url)
            print(_HOW_TO.format(airflow=session.airflow.url, emulator=session.emulator.url), flush=True)
            while True:
                signal.pause()
    except (EmulatorError, DeploymentError) as error:
        print(f"The playground failed. {error}", *getattr(error, "__notes__", ()), sep="\n", file=sys.stderr)
        return 1


def _interrupt(*_: object) -> None:
    """End. A second signal must not stop what ends the processes."""
    for number in _ENDING:
        signal.signal(number, signal.SIG_IGN)
    print("\nEnding what was started. This takes a few seconds.", flush=True)
    raise KeyboardInterrupt


_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Also SIGINT, which Python itself does not handle where a shell has started it in the background."""


_HOW_TO = """
  Airflow   {airflow}   (no password: everyone on this machine can use it)
  Emulator  {emulator}   what stands for Encord's web app, with the ids of all projects

Open Airflow, trigger example_encord_export, and when it is green follow "Open in Encord" on its task export_labels.
Every example is filled in. People label meanwhile: example_encord_event_driven runs by itself.
Ctrl-C ends everything."""


if __name__ == "__main__":
    sys.exit(main())
