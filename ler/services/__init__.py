"""What the platform does, one transaction a verb: the only writers of tables and audit events."""
