"""The command ``airflow encord smoke``, for Airflow 3.2 and newer.

Airflow imports this module for each of its commands. To keep them fast, it imports only modules that Airflow has
already imported.
"""

from __future__ import annotations

from airflow.cli.cli_config import ActionCommand, Arg, CLICommand, GroupCommand, lazy_load_command

from airflow_provider_encord.smoke.options import DESCRIPTION, EXIT_STATUS, OPTIONS


def get_cli_commands() -> list[CLICommand]:
    """The commands that this provider adds to Airflow's."""
    smoke = ActionCommand(
        name="smoke",
        help="Send read-only requests to Encord and print a report for an issue",
        description=DESCRIPTION,
        epilog=EXIT_STATUS,
        func=lazy_load_command("airflow_provider_encord.smoke.command.run_in_airflow"),
        args=tuple(Arg(flags=(flag,), **arguments) for flag, arguments in OPTIONS.items()),  # type: ignore[no-untyped-call]
    )
    return [GroupCommand(name="encord", help="Check the connection to Encord", subcommands=(smoke,))]
