"""CodeHub's state_index room."""
