"""Import the SDK once, then fork for every script: starting an SDK takes most of a second, a script a tenth of it.

One line of JSON in (`script`, `arguments`, `folder`, `output`, `errors`: files for what the script prints), one line
out (`returncode`). The parent runs nothing of the SDK, so every script starts as in a fresh interpreter.
"""

import json
import os
import runpy
import sys
import traceback

import encord  # noqa: F401


def run(request):
    """The script in this process, which is a child of its own; never returns."""
    for descriptor, path, how in ((0, os.devnull, os.O_RDONLY), (1, request["output"], os.O_WRONLY | os.O_CREAT),
                                  (2, request["errors"], os.O_WRONLY | os.O_CREAT)):  # fmt: skip
        os.dup2(os.open(path, how, 0o600), descriptor)
    os.chdir(request["folder"])
    sys.argv = [request["script"], *request["arguments"]]
    code = 0
    try:
        runpy.run_path(request["script"], run_name="__main__")
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001  whatever it is, the test wants to show it
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


for line in sys.stdin:
    child = os.fork()
    if child == 0:
        run(json.loads(line))
    _, status = os.waitpid(child, 0)
    print(json.dumps({"returncode": os.waitstatus_to_exitcode(status)}), flush=True)
