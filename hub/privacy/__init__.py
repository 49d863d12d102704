"""Where personal data lies, who may see it and who did; consent, privacy requests, retention, records of processing."""

__all__: list[str] = []
