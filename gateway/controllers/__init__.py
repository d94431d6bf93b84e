"""Request handlers: the API under `/api/v1`, and the pages. They ask the services and answer."""
