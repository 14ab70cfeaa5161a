"""A runner of encord-agents, as a user has it in a module."""

from __future__ import annotations

from encord.workflow.stages.agent import AgentTask
from encord_agents.tasks import Runner

runner = Runner()


@runner.stage("Agent")
def decide(task: AgentTask) -> str:
    """Choose a pathway."""
    return "yes" if task.data_title else "no"
