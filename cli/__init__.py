"""CodeHub's cli room."""
