class BadInput(Exception):
    """Wrong use or a bad file: the message says where, what and what to do."""
