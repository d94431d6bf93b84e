"""CodeHub's policies room."""
