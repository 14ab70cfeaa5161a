"""Models, their trainings, and the models of projects."""
