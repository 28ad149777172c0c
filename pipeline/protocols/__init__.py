"""What crosses processes: camera messages, scan records, batches, the published tree."""
