"""Controllers: add this directory to the PoolPath of a Pool."""
