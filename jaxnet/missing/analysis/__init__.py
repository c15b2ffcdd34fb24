"""What is missing in a table, before anything is fitted."""
