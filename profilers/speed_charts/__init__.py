"""Charts of what speed_benchmark measured."""
