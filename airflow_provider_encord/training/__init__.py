"""Training sets: labels with their media, in the forms that training code reads."""
