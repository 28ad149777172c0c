"""Controllers: a directory for the PoolPath of a Pool."""
