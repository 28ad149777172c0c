"""The same analysis as live, on files: what is read, run, compared and written afterwards."""
