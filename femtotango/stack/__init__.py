"""All processes of the project on one machine: started, watched, restarted, ended."""
