"""Reads about models: those of the listing, and one that was trained."""

from __future__ import annotations

from airflow_provider_encord.client.api.trained import models
from airflow_provider_encord.smoke.visit import Visit


def read_models(visit: Visit) -> None:
    """Read models, one of them in full, and what it was trained with."""
    listed = visit.ask(models.list_models())
    found = listed.value.results if listed.answered else []
    for first in [model for model in found if model.model_iterations][:1] or found[:1]:
        model = first.model_group.model_uuid
        about = visit.alias("model", model)
        visit.ask(models.get_model(model), about)
        for training in first.model_iterations[:1]:
            visit.ask(models.list_training_data(model, training.training_uuid), about)
