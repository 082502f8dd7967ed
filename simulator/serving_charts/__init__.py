"""Charts of a simulated service, from what `simulate` wrote."""
