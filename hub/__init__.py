"""The customer knowledge hub: one customer graph out of many source systems, answered by GraphQL."""
