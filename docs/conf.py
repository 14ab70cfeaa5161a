"""Sphinx builds the documentation from these pages and from the package's docstrings. Nothing is fetched.

Reading docstrings imports Airflow, which makes itself a home when it is first imported. Here it is a folder
that goes away with the build.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(CHECKOUT), str(CHECKOUT / "emulator"), str(CHECKOUT / "docs")]
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="airflow-home-")
atexit.register(shutil.rmtree, os.environ["AIRFLOW_HOME"], ignore_errors=True)
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"

from airflow_provider_encord import __version__  # noqa: E402 - Airflow's home comes first

project = "airflow-provider-encord"
author = "The airflow-provider-encord authors"
copyright = "2026, the airflow-provider-encord authors"  # noqa: A001 - Sphinx's name
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "public_marks"]
myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"airflow-provider-encord {release}"
html_copy_source = False
html_show_sphinx = False

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_class_signature = "mixed"
autodoc_default_options = {"members": True, "show-inheritance": True}
python_use_unqualified_type_names = True
add_module_names = False

# A word in single backticks is a link where it names something of ours, and code where it names anything else.
default_role = "py:obj"
nitpicky = True
nitpick_ignore_regex = [
    (r"py:obj", r".*"),
    # Types that are explained elsewhere; no inventory of them is fetched.
    (
        r"py:.*",
        r"(airflow|collections|contextlib|cryptography|os|pathlib|subprocess|requests|datetime|types|msgspec|enum|urllib|numpy)\..*",
    ),
    (
        r"py:.*",
        r"(Airflow\w*Exception|NDArray|AirflowSensorTimeout|Asset|OpenLineageDataset|BaseOperator|BaseHook|BaseOperatorLink|Context|ObjectStoragePath|PokeReturnValue|RetryPolicy|TaskInstanceKey)",
    ),
    # Type variables, and parts that are no surface: bases, and what only says what an argument must be able to do.
    (
        r"py:class",
        r"(.*\.)?(T|J|Line|TitledT|P|Ids|Ids\.k?w?args|_\w+|ClientProtocol|Source|StoragePath|Answer|Job|JobKind|JobPart|JobSteps|ProgressLogger|SyncTransport|AsyncTransport|EncordUserClient|Page|Outcome|Writer|FileOutcome|Found|Features|Fact)",
    ),
    (r"py:class", r"dict\[str"),
    (
        r"py:class",
        r".*\.(Store|Unpickled|ItemStream|ExportDirectory|Place|Names|Owner|Registered|LabelsSeen|ActivityTally)",
    ),
    (r"py:(exc|class)", r"CountMismatchError|FinishedError|ReplacedError|Owner"),
]
