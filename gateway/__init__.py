"""CodeHub's gateway room."""
