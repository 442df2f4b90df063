"""Who trains a model on a data set."""
