"""The command ``airflow encord smoke``, from Airflow 3.2 on.

Airflow imports this module for each of its commands, so it imports nothing that Airflow has not imported before.
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
