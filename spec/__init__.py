"""CodeHub's spec room."""
