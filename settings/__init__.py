"""CodeHub's settings room."""
