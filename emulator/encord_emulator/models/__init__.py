"""Models of machine learning: their trainings, and what they predict in projects. Nothing is learned here."""
