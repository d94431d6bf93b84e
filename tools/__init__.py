"""CodeHub's tools room."""
