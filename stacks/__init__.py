"""CodeHub's stacks room."""
